using System.Buffers;
using System.Collections;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Praetor.Agent.Forwarding;

/// <summary>A call out of a stream as a request that the API can answer, and its answer, gathered in memory.</summary>
internal sealed class CallContext : PipeWriter, IFeatureCollection, IHttpRequestFeature, IHttpResponseFeature,
    IHttpResponseBodyFeature,
    IHttpRequestBodyDetectionFeature, IHttpRequestLifetimeFeature, IRequestBodyPipeFeature, IHttpConnectionFeature
{
    private const int HeadersUsual = 16;

    private readonly ArrayBufferWriter<byte> _body = new(512);
    private Dictionary<Type, object>? _others;
    private readonly ReadOnlyMemory<byte> _sent;
    private PipeReader? _reader;

    public CallContext(
        uint number, string method, string target, HeaderDictionary headers, ReadOnlyMemory<byte> body,
        CancellationToken aborted)
    {
        (Number, Method, RawTarget, Headers, _sent, RequestAborted) = (number, method, target, headers, body, aborted);
        Http = new DefaultHttpContext(this);
    }

    public DefaultHttpContext Http { get; }

    public uint Number { get; }

    /// <summary>Whether the answer broke off.</summary>
    public bool IsBroken { get; private set; }

    public IHeaderDictionary AnswerHeaders { get; private set; } = new HeaderDictionary(HeadersUsual);

    public ReadOnlySpan<byte> AnswerBody => _body.WrittenSpan;

    // The features that this is itself need no table; what else is set by whoever handles requests has one.
    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get => key.IsInstanceOfType(this) ? this : _others?.GetValueOrDefault(key);
        set
        {
            Revision++;
            _others ??= [];
            if (value is null)
            {
                _others.Remove(key);
            }
            else
            {
                _others[key] = value;
            }
        }
    }

    public TFeature? Get<TFeature>() =>
        this is TFeature own ? own : (TFeature?)_others?.GetValueOrDefault(typeof(TFeature));

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => (_others ?? []).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public string ConnectionId { get; set; } = "";

    public IPAddress? RemoteIpAddress { get; set; }

    public IPAddress? LocalIpAddress { get; set; }

    public int RemotePort { get; set; }

    public int LocalPort { get; set; }

    public string Protocol { get; set; } = "HTTP/2";

    public string Scheme { get; set; } = "http";

    public string Method { get; set; }

    public string PathBase { get; set; } = "";

    public string Path { get; set; } = "/";

    public string QueryString { get; set; } = "";

    public string RawTarget { get; set; }

    public IHeaderDictionary Headers { get; set; }

    Stream IHttpRequestFeature.Body { get; set; } = System.IO.Stream.Null;

    public bool CanHaveBody => _sent.Length > 0;

    public PipeReader Reader => _reader ??= PipeReader.Create(new ReadOnlySequence<byte>(_sent));

    public CancellationToken RequestAborted { get; set; }

    public int StatusCode { get; set; } = 200;

    public string? ReasonPhrase { get; set; }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => AnswerHeaders;
        set => AnswerHeaders = value;
    }

    Stream IHttpResponseFeature.Body { get; set; } = System.IO.Stream.Null;

    public bool HasStarted => false;

    public Stream Stream => AsStream(leaveOpen: true);

    public PipeWriter Writer => this;

    public void Abort() => IsBroken = true;

    public void OnStarting(Func<object, Task> callback, object state)
    {
        // Nobody asks for it: there is no middleware here.
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
        // As above.
    }

    public override void Advance(int bytes) => _body.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _body.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _body.GetSpan(sizeHint);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => 0;

    public override void CancelPendingFlush()
    {
        // A flush is never pending.
    }

    public override void Complete(Exception? exception = null) => IsBroken |= exception is not null;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: false));

    public void DisableBuffering()
    {
        // All of it is.
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(
        string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("no answer of the API is a file");

    public Task CompleteAsync() => Task.CompletedTask;
}
