using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Http;

namespace Praetor.Agent.Forwarding;

/// <summary>Answers the calls of one agent that come in one stream: what a request of its own costs, a hundred of them
/// share.</summary>
/// <remarks>Each call is answered by whatever answers requests, with the same rows, rights and bounds.</remarks>
/// <param name="answer">Answers a request.</param>
/// <param name="log">Where mistakes go.</param>
internal sealed partial class CallServer(Func<HttpContext, Task> answer, ILogger log)
{
    /// <summary>Calls of one stream that are answered at once; more wait in the stream.</summary>
    public const int CallsMax = 1024;

    // Most calls carry the trail and what is accepted.
    private const int HeadersUsual = 4;

    /// <summary>Serves one stream until the other side ends it.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        try
        {
            await AnswerAllAsync(context);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other agent, or the connection, is gone; nobody reads an answer.
        }
    }

    private async Task AnswerAllAsync(HttpContext context)
    {
        context.Response.ContentType = "application/octet-stream";
        await context.Response.StartAsync(context.RequestAborted);
        var writer = context.Response.BodyWriter;
        await writer.FlushAsync(context.RequestAborted);
        var outbox = new FrameOutbox(bytes => SendAsync(writer, bytes, context.RequestAborted));
        using var places = new SemaphoreSlim(CallsMax, CallsMax);
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            var rest = read.Buffer;
            var isSound = true;
            while (CallFrames.TryTake(ref rest, out var frame, out isSound))
            {
                await places.WaitAsync(context.RequestAborted);
                isSound = Begin(frame, outbox, places, context.RequestAborted);
                if (!isSound)
                {
                    break;
                }
            }

            reader.AdvanceTo(rest.Start, rest.End);
            outbox.FlushNow();
            if (!isSound)
            {
                Log.Malformed(log);
                context.Abort();
                return;
            }

            if (read.IsCompleted)
            {
                break;
            }
        }

        // Whoever is still being answered gets the answer before the stream ends.
        for (var i = 0; i < CallsMax; i++)
        {
            await places.WaitAsync(context.RequestAborted);
        }
    }

    private static async ValueTask SendAsync(PipeWriter writer, ReadOnlyMemory<byte> bytes, CancellationToken stop) =>
        await writer.WriteAsync(bytes, stop);

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
        [LoggerMessage(6231, LogLevel.Warning, "an agent's stream of calls cannot be read and was ended")]
        public static partial void Malformed(ILogger log);

        [LoggerMessage(6232, LogLevel.Error, "a call of another agent failed: method={Method}")]
        public static partial void Failed(ILogger log, Exception e, string method);
    }
}
