using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Praetor.Agent.Forwarding;
using Praetor.Server.Replication;

namespace Praetor.Agent.Cluster;

/// <summary>A connection to the leader that is open as long as its process is there and leads.</summary>
/// <remarks>The kernel closes a dead process's connections at once, which is a second sooner than silence tells. Who
/// then refuses a new connection is gone.</remarks>
internal sealed class LeaderPulse(TimeProvider time) : ILeaderPulse, IDisposable
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        ConnectTimeout = ConnectTime,
    });

    public async Task<LeaderEnd> WaitForEndAsync(LeaderRecord leader, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{leader.Rpc}{RpcRoutes.Pulse}")
                {
                    Version = HttpVersion.Version20,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                request.Headers.TryAddWithoutValidation(Forwarder.OwnHeader, "1");
                using var answer = await _http.SendAsync(request, stop);
                await using var body = await answer.Content.ReadAsStreamAsync(stop);
                if (answer.IsSuccessStatusCode && await body.ReadAsync(new byte[1], stop) == 0)
                {
                    // It leads no more, and has said so in the log.
                    return LeaderEnd.Unclear;
                }
            }
            catch (HttpRequestException e) when (IsRefusal(e))
            {
                return LeaderEnd.Gone;
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                stop.ThrowIfCancellationRequested();
            }

            if (await IsRefusedAsync(leader, stop))
            {
                return LeaderEnd.Gone;
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    /// <summary>Answers such a connection: nothing, as long as this server leads.</summary>
    public static async Task ServeAsync(HttpContext context, ClusterNode node)
    {
        if (!node.Leads)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await node.LeadEndsAsync(context.RequestAborted);
    }

    public void Dispose() => _http.Dispose();

    private static bool IsRefusal(Exception e) =>
        e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionRefused };

    private static async Task<bool> IsRefusedAsync(LeaderRecord leader, CancellationToken stop)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(ConnectTime);
            await socket.ConnectAsync(IPEndPoint.Parse(leader.Rpc), limit.Token);
            return false;
        }
        catch (SocketException e)
        {
            return IsRefusal(e);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
