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

    // Most calls carry the trail and what is accepted.
    private const int HeadersUsual = 4;

    /// <summary>Serves one connection until the other side ends it, or is not there any more.</summary>
    public async Task ServeAsync(ConnectionContext context)
    {
        using var connection = new CallServerConnection(
            context.Transport.Input.AsStream(), context.Transport.Output.AsStream(), RpcRoutes.Calls, time);

        // Whoever calls ends the connection when it is not used, and pings it while it waits.
        using var watch = time.CreateTimer(
            _ =>
            {
                if (connection.Silence >= RpcLimits.IdleTime)
                {
                    context.Abort();
                }
            },
            null, RpcLimits.IdleTime, RpcLimits.IdleTime);
        var lifetime = context.Features.Get<IConnectionLifetimeNotificationFeature>();
        await using var leaving = (lifetime?.ConnectionClosedRequested ?? CancellationToken.None)
            .UnsafeRegister(static c => ((CallServerConnection)c!).GoAway(), connection);
        try
        {
            await AnswerAllAsync(connection, context.ConnectionClosed);
        }
        catch (InvalidDataException e)
        {
            Log.Malformed(log, e.Message);
            context.Abort();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other agent, or the connection, is gone; nobody reads an answer.
        }
    }

    private async Task AnswerAllAsync(CallServerConnection connection, CancellationToken stop)
    {
        await connection.BeginAsync(stop);
        var outbox = new FrameOutbox(bytes => connection.SendAsync(bytes, stop));
        using var places = new SemaphoreSlim(CallsMax, CallsMax);
        while (await connection.ReadAsync())
        {
            var came = new ReadOnlySequence<byte>(connection.Body);
            var rest = came;
            bool isSound;
            while (CallFrames.TryTake(ref rest, out var frame, out isSound))
            {
                await places.WaitAsync(stop);
                if (!Begin(frame, outbox, places, stop))
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

    private bool Begin(
        in ReadOnlySequence<byte> frame, FrameOutbox outbox, SemaphoreSlim places, CancellationToken aborted)
    {
        var headers = new HeaderDictionary(HeadersUsual);
        if (!CallFrames.TryReadCall(
            frame.ToArray(), out var number, out var method, out var target, headers, out var body))
        {
            return false;
        }

        var call = new CallContext(number, method, target, headers, body, aborted);
        var answering = AnswerAsync(call, outbox);
        if (answering.IsCompleted)
        {
            places.Release();
        }
        else
        {
            _ = LaterAsync(answering, outbox, places);
        }

        return true;
    }

    private static async Task LaterAsync(Task answering, FrameOutbox outbox, SemaphoreSlim places)
    {
        await answering;
        outbox.Flush();
        try
        {
            places.Release();
        }
        catch (ObjectDisposedException)
        {
            // The stream broke off meanwhile.
        }
    }

    private async Task AnswerAsync(CallContext call, FrameOutbox outbox)
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
            outbox.Add((call, failed), static (to, it) => CallFrames.WriteAnswer(
                to, it.call.Number, StatusCodes.Status500InternalServerError, it.failed, "internal error"u8));
            return;
        }

        outbox.Add(call, static (to, it) =>
        {
            // Room for the headers is left.
            var fits = !it.IsBroken && it.AnswerBody.Length <= CallFrames.BytesMax / 2;
            CallFrames.WriteAnswer(
                to, it.Number, fits ? it.StatusCode : CallFrames.TooLarge,
                fits ? it.AnswerHeaders : new HeaderDictionary(), fits ? it.AnswerBody : []);
        });
    }

    private static partial class Log
    {
        [LoggerMessage(6231, LogLevel.Warning, "an agent's connection for calls was ended: {Why}")]
        public static partial void Malformed(ILogger log, string why);

        [LoggerMessage(6232, LogLevel.Error, "a call of another agent failed: method={Method}")]
        public static partial void Failed(ILogger log, Exception e, string method);
    }
}
