using System.Net;

namespace Praetor.Server.Storage.Etcd;

/// <summary>The body of a call: one message, after which it ends; or, for a stream, stays open until it is
/// told to end.</summary>
internal sealed class EtcdBody : HttpContent
{
    private readonly EtcdRequest _request;
    private readonly TaskCompletionSource? _end;

    /// <param name="request">The message.</param>
    /// <param name="staysOpen">Whether the body goes on until it is disposed.</param>
    public EtcdBody(EtcdRequest request, bool staysOpen)
    {
        _request = request;
        _end = staysOpen ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_request.Bytes, cancellationToken);
        if (_end is not null)
        {
            // Nothing leaves before it is asked to: neither the headers nor the message.
            await stream.FlushAsync(cancellationToken);
            await _end.Task.WaitAsync(cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _request.Length;
        return _end is null;
    }

    protected override void Dispose(bool disposing)
    {
        _end?.TrySetResult();
        base.Dispose(disposing);
    }
}
