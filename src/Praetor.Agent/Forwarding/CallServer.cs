using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Http;

namespace Praetor.Agent.Forwarding;

/// <summary>Answers the calls of one agent that come over one connection: what a request of its own costs, a hundred
/// of them share.</summary>
/// <remarks>Each call is answered by whatever answers requests, with the same rows, rights and bounds.</remarks>
/// <param name="answer">Answers a request.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where mistakes go.</param>
internal sealed partial class CallServer(Func<HttpContext, Task> answer, TimeProvider time, ILogger log)
{
    /// <summary>Calls of one connection that are answered at once; more wait in it.</summary>
    public const int CallsMax = 1024;

    /// <summary>How many bytes calls that are being answered may have together: 32 MiB. <see cref="CallsMax"/> of
    /// another agent's hardly reach it: their bodies have 16 KiB at most, and paths and headers are short. Nobody has
    /// proved yet who he is when his calls come, and some are answered minutes later.</summary>
    public const int CallBytesMax = 32 * 1024 * 1024;

    // Most calls carry the trail and what is accepted.
    private const int HeadersUsual = 4;

    // How long the first request may take, and how long nothing may come: whoever calls ends a connection that is not
    // used, and pings it while it waits.
    private static readonly TimeSpan BeginTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(30);

    // How long answers may wait for one who does not read them.
    private static readonly TimeSpan SendTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    // For so long calls that came together are answered before the connection is read again, and pings with it; what
    // is left then is answered on other threads.
    private static readonly TimeSpan TurnTime = TimeSpan.FromMilliseconds(50);

    /// <summary>Serves one connection until the other side ends it, or does not take part any more.</summary>
    public async Task ServeAsync(ConnectionContext context)
    {
        using var connection = new CallServerConnection(
            context.Transport.Input.AsStream(), context.Transport.Output.AsStream(), RpcRoutes.Calls, time);
        var begin = time.GetTimestamp();
        using var look = time.CreateTimer(
            _ =>
            {
                if (connection.Silence >= SilenceMax || connection.SendTime >= SendTime
                    || (!connection.HasBegun && time.GetElapsedTime(begin) >= BeginTime))
                {
                    context.Abort();
                }
            },
            null, LookInterval, LookInterval);
        var lifetime = context.Features.Get<IConnectionLifetimeNotificationFeature>();
        await using var leaving = (lifetime?.ConnectionClosedRequested ?? CancellationToken.None)
            .UnsafeRegister(static c => ((CallServerConnection)c!).GoAway(), connection);
        try
        {
            await AnswerAllAsync(connection, context);
        }
        catch (InvalidDataException e)
        {
            Log.Malformed(log, e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other agent, or the connection, is gone; nobody reads an answer.
        }
        finally
        {
            // Also what is still being sent, to one who may never read it.
            context.Abort();
        }
    }

    private async Task AnswerAllAsync(CallServerConnection connection, ConnectionContext context)
    {
        var stop = context.ConnectionClosed;
        await connection.BeginAsync(stop);
        var places = new CallPlaces(CallsMax, CallBytesMax);
        var outbox = new FrameOutbox(bytes => connection.SendAsync(bytes, stop));
        var serving = new Serving(outbox, places, context);
        while (await connection.ReadAsync())
        {
            var begin = time.GetTimestamp();
            var came = new ReadOnlySequence<byte>(connection.Body);
            var rest = came;
            bool isSound;
            while (CallFrames.TryTake(ref rest, out var frame, out isSound))
            {
                var place = places.TakeAsync((int)frame.Length, stop);
                if (!place.IsCompleted)
                {
                    // Answers that are there do not wait with it.
                    outbox.FlushNow();
                }

                await place;
                if (!Begin(frame, serving, isLate: time.GetElapsedTime(begin) >= TurnTime))
                {
                    throw new InvalidDataException("a call cannot be read");
                }
            }

            connection.Advance((int)(came.Length - rest.Length));
            outbox.FlushNow();
            if (!isSound)
            {
                throw new InvalidDataException("what comes is not divided into calls");
            }
        }
    }

    private bool Begin(in ReadOnlySequence<byte> frame, Serving serving, bool isLate)
    {
        var headers = new HeaderDictionary(HeadersUsual);
        if (!CallFrames.TryReadCall(
            frame.ToArray(), out var number, out var method, out var target, headers, out var body))
        {
            return false;
        }

        var call = new CallContext(number, method, target, headers, body, serving.Context.ConnectionClosed);
        var answering = isLate
            ? Task.Run(() => AnswerAsync(call, serving), CancellationToken.None) : AnswerAsync(call, serving);
        if (answering.IsCompleted)
        {
            serving.Places.Release((int)frame.Length);
        }
        else
        {
            _ = LaterAsync(answering, (int)frame.Length, serving);
        }

        return true;
    }

    private static async Task LaterAsync(Task answering, int bytes, Serving serving)
    {
        try
        {
            await answering;
            serving.Outbox.Flush();
        }
        finally
        {
            serving.Places.Release(bytes);
        }
    }

    private async Task AnswerAsync(CallContext call, Serving serving)
    {
        try
        {
            await answer(call.Http);
        }
        catch (OperationCanceledException) when (call.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked is gone.
            return;
        }
        catch (Exception e) // supervisor: a mistake in one call must not end the others
        {
            Log.Failed(log, e, call.Method);
            var failed = new HeaderDictionary { ["Content-Type"] = Reply.TextType };
            Add(serving, (call, failed), static (to, it) => CallFrames.WriteAnswer(
                to, it.call.Number, StatusCodes.Status500InternalServerError, it.failed, "internal error"u8));
            return;
        }

        Add(serving, call, static (to, it) =>
        {
            // Room for the headers is left.
            var fits = !it.IsBroken && it.AnswerBody.Length <= CallFrames.BytesMax / 2;
            CallFrames.WriteAnswer(
                to, it.Number, fits ? it.StatusCode : CallFrames.TooLarge,
                fits ? it.AnswerHeaders : new HeaderDictionary(), fits ? it.AnswerBody : []);
        });
    }

    private static void Add<T>(Serving serving, T state, Action<ArrayBufferWriter<byte>, T> write)
    {
        if (!serving.Outbox.Add(state, write))
        {
            // Answers are never left out: whoever waits for one hears that the connection is over.
            serving.Context.Abort();
        }
    }

    /// <summary>One connection that is being served.</summary>
    /// <param name="Outbox">Where answers go.</param>
    /// <param name="Places">What may be under way.</param>
    /// <param name="Context">The connection.</param>
    private sealed record Serving(FrameOutbox Outbox, CallPlaces Places, ConnectionContext Context);

    private static partial class Log
    {
        [LoggerMessage(6231, LogLevel.Warning, "an agent's connection for calls was ended: {Why}")]
        public static partial void Malformed(ILogger log, string why);

        [LoggerMessage(6232, LogLevel.Error, "a call of another agent failed: method={Method}")]
        public static partial void Failed(ILogger log, Exception e, string method);
    }
}
