using Codecs.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>What something answers that is not in order, or no etcd at all.</summary>
public sealed class FakeEtcdTests
{
    private static readonly EtcdTxn Put = new([], [new EtcdPut([1], [2])], []);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(14, "etcdserver: request timed out")]
    [InlineData(4, "context deadline exceeded")]
    [InlineData(13, "stream terminated")]
    [InlineData(2, "strange: 100%")]
    public async Task An_error_that_may_come_after_the_deed_leaves_it_unknown(int code, string message)
    {
        await using var etcd = await FakeAsync(context => Fail(context, code, message));
        (await Should.ThrowAsync<EtcdUnknownException>(() => etcd.Client.CommitAsync(Put, Stop))).Message
            .ShouldBe(message);
        Should.Throw<EtcdUnknownException>(() => etcd.Client.Commit(Put, Member.Limit)).Message.ShouldBe(message);
    }

    [Theory]
    [InlineData(3, "etcdserver: duplicate key given in txn request")]
    [InlineData(9, "etcdserver: can only promote a learner member which is in sync with leader")]
    [InlineData(14, "etcdserver: rpc not supported for learner")]
    [InlineData(14, "etcdserver: unhealthy cluster")]
    [InlineData(8, "etcdserver: mvcc: database space exceeded")]
    public async Task An_error_that_comes_before_the_deed_says_so(int code, string message)
    {
        await using var etcd = await FakeAsync(context => Fail(context, code, message));
        var refused = await Should.ThrowAsync<EtcdRefusedException>(() => etcd.Client.CommitAsync(Put, Stop));
        (refused.Code, refused.Message).ShouldBe((code, message));
        refused = Should.Throw<EtcdRefusedException>(() => etcd.Client.Commit(Put, Member.Limit));
        (refused.Code, refused.Message).ShouldBe((code, message));
    }

    [Fact]
    public async Task An_answer_that_is_no_answer_of_etcd_leaves_it_unknown()
    {
        (Func<HttpContext, Task> Answer, string Why)[] answers =
        [
            (static context => Send(context, [0, 0, 0, 0, 3, 1, 2, 3]), "cannot be read"),
            (static context => Send(context, [1, 0, 0, 0, 0]), "compressed"),
            (static context => Send(context, [0, 0xFF, 0xFF, 0xFF, 0xFF]), "ask for less"),
            (static context => Send(context, [0, 0, 0, 0, 9, 1, 2]), "cut off"),
            (static context => Send(context, [0, 0, 0]), "cut off"),
            (static context => Send(context, []), "cannot be read"),
            (static context => context.Response.WriteAsync("", Stop), "without a status"),
            (static context => Refuse(context, 502), "HTTP status 502"),
            (static context => Break(context), "unix://"),
        ];
        foreach (var (answer, why) in answers)
        {
            await using var etcd = await FakeAsync(answer);
            (await Should.ThrowAsync<EtcdUnknownException>(() => etcd.Client.CommitAsync(Put, Stop))).Message
                .ShouldContain(why);
            Should.Throw<EtcdUnknownException>(() => etcd.Client.Commit(Put, Member.Limit));
        }
    }

    [Fact]
    public async Task Who_waits_on_its_own_thread_waits_no_longer_than_it_wants_to_and_may_go_on_after()
    {
        var isSilent = true;
        await using var etcd = await FakeAsync(async context =>
        {
            if (Volatile.Read(ref isSilent))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }

            await Send(context, [0, 0, 0, 0, 4, 0x0A, 2, 0x18, 7]);
        });
        Should.Throw<EtcdUnknownException>(() => etcd.Client.Commit(Put, TimeSpan.FromMilliseconds(100)));
        Volatile.Write(ref isSilent, false);
        etcd.Client.Commit(Put, Member.Limit).Revision.ShouldBe(7);
        etcd.Client.Commit(Put, Member.Limit).Revision.ShouldBe(7);
    }

    [Fact]
    public async Task A_connection_that_was_closed_between_two_transactions_is_made_anew()
    {
        var connections = new HashSet<string>();
        await using var etcd = await FakeAsync(context =>
        {
            lock (connections)
            {
                connections.Add(context.Connection.Id);
            }

            // Says in order that it takes no more calls on this connection.
            context.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
            return Send(context, [0, 0, 0, 0, 4, 0x0A, 2, 0x18, 7]);
        });
        for (var i = 0; i < 3; i++)
        {
            CommitAgain(etcd.Client).Revision.ShouldBe(7);
        }

        connections.Count.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_call_that_is_never_answered_ends_at_its_limit_by_the_clock_that_was_given()
    {
        var time = new ManualTime();
        var asked = new TaskCompletionSource();
        await using var etcd = await FakeAsync(
            context =>
            {
                asked.TrySetResult();
                context.Request.Headers["grpc-timeout"].ToString().ShouldBe("5000m");
                return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            },
            time);
        var commit = etcd.Client.CommitAsync(Put, Stop);
        await asked.Task.WaitAsync(Member.Limit, TimeProvider.System, Stop);
        commit.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(5));
        (await Should.ThrowAsync<EtcdUnknownException>(() => commit)).Message.ShouldContain("within 5 s");
    }

    [Fact]
    public async Task A_watch_that_ends_in_any_way_is_to_be_begun_again()
    {
        (Func<HttpContext, Task> Answer, string Why)[] answers =
        [
            (static context => Send(context, []), "ended the watch"),
            (static context => Fail(context, 14, "etcdserver: no leader"), "no leader"),
            (static context => Send(context, [0, 0, 0, 0, 8, 0x20, 1, 0x32, 4, .. "gone"u8]), "gone"),
            (static context => Send(context, [0, 0, 0, 0, 1, 0xFF]), "cannot be read"),
            (static context => Break(context), "unix://"),
        ];
        foreach (var (answer, why) in answers)
        {
            await using var etcd = await FakeAsync(answer);
            var watch = etcd.Client.WatchAsync([1], [2], 0, Stop).GetAsyncEnumerator(Stop);
            (await Should.ThrowAsync<EtcdUnknownException>(async () => await watch.MoveNextAsync())).Message
                .ShouldContain(why);
        }
    }

    // The goodbye may come just when the next one was sent, and then nobody knows.
    private static EtcdTxnAnswer CommitAgain(EtcdClient client)
    {
        try
        {
            return client.Commit(Put, Member.Limit);
        }
        catch (EtcdUnknownException)
        {
            return client.Commit(Put, Member.Limit);
        }
    }

    private static Task Fail(HttpContext context, int code, string message)
    {
        // As gRPC has it when there is no message: the status stands in the headers.
        context.Response.Headers["grpc-status"] = $"{code}";
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        return Task.CompletedTask;
    }

    private static async Task Send(HttpContext context, byte[] body)
    {
        await context.Response.StartAsync(Stop);
        await context.Response.Body.WriteAsync(body, Stop);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static async Task Break(HttpContext context)
    {
        var header = new byte[GrpcFrame.HeaderBytes];
        GrpcFrame.WriteHeader(header, 100);
        await context.Response.StartAsync(Stop);
        await context.Response.Body.WriteAsync(header, Stop);
        await context.Response.Body.FlushAsync(Stop);
        context.Abort();
    }

    private static async Task<Fake> FakeAsync(Func<HttpContext, Task> answer, TimeProvider? time = null)
    {
        var folder = new TempFolder("etcd-fake");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(
            folder.File("s"), static listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.ContentType = "application/grpc";
            return answer(context);
        });
        await app.StartAsync(Stop);
        return new Fake(app, folder, new EtcdClient(
            new EtcdClientOptions { Endpoints = [$"unix://{folder.File("s")}"] }, time ?? TimeProvider.System));
    }

    private sealed record Fake(WebApplication App, TempFolder Folder, EtcdClient Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await App.DisposeAsync();
            Folder.Dispose();
        }
    }
}
