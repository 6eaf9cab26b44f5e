using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Praetor.Client;
using Samples.Counting;
using Samples.Dashboard;

namespace Praetor.Commands.Demo;

/// <summary>Shows the product in a minute: an agent in memory, two services with sidecars that the agent runs, and
/// traffic between them. Everything is ordinary: the same files, the same agent, the same commands as
/// anywhere.</summary>
internal sealed class DemoRunner(
    string executable, string command, TextWriter output, Func<int>? columns, TimeProvider time)
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private readonly DemoScreen _screen = new(output, columns, time);

    /// <summary>Runs until <paramref name="stop"/>, or for a given time; gives the exit code.</summary>
    /// <param name="limit">How long to show the traffic. Null: until stopped.</param>
    /// <param name="stop">Ends the demo; that is no failure.</param>
    public async Task<int> RunAsync(TimeSpan? limit, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("praetor-demo-").FullName;
        try
        {
            return await RunInAsync(folder, limit, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _screen.End("ended");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<int> RunInAsync(string folder, TimeSpan? limit, CancellationToken stop)
    {
        var ports = DemoPorts.Find();
        DemoServices.Write(folder, ports);
        await using var agent = DemoAgent.Start(executable, folder, ports, time);
        await using var counting = CountingApp.Build($"http://127.0.0.1:{ports.Counting}");
        await using var dashboard = DashboardApp.Build(
            $"http://127.0.0.1:{ports.Dashboard}", $"http://127.0.0.1:{ports.Upstream}");

        // To the end, which is soon: a start that is broken off is logged as a failure.
        await Task.WhenAll(
            counting.StartAsync(CancellationToken.None), dashboard.StartAsync(CancellationToken.None));
        using var client = new PraetorClient(new ClientOptions { Address = $"127.0.0.1:{ports.Http}" }, time);
        using var traffic = new DemoTraffic(new Uri($"http://127.0.0.1:{ports.Upstream}"), time);
        try
        {
            await GetReadyAsync(agent, client, traffic, ports, stop);
        }
        catch (TimeoutException late)
        {
            output.WriteLine($"{late.Message}\n\nThe agent's log ends with:\n{agent.Log}");
            output.Flush();
            return 1;
        }

        _screen.Guide(ports, command);
        traffic.StartCounting();
        await ShowAsync(agent, traffic, limit, stop);
        await Task.WhenAll(counting.StopAsync(CancellationToken.None), dashboard.StopAsync(CancellationToken.None));
        return agent.HasEnded ? 1 : 0;
    }

    private async Task GetReadyAsync(
        DemoAgent agent, PraetorClient client, DemoTraffic traffic, DemoPorts ports, CancellationToken stop)
    {
        await UntilAsync(agent, "the agent to lead", () => HasAsync(client, "/v1/status/leader", ":", stop), stop);
        _screen.Done("an agent, in memory", $"http://127.0.0.1:{ports.Http}");
        foreach (var service in (string[])["counting", "dashboard"])
        {
            var path = $"/v1/health/service/{service}?passing";
            await UntilAsync(agent, $"{service} to be healthy", () => HasAsync(client, path, "ServiceID", stop), stop);
        }

        _screen.Done("counting and dashboard", "registered and healthy");
        var domain = "";
        await UntilAsync(
            agent, "the certificate authority",
            async () => (domain = await TrustDomainAsync(client, stop)).Length > 0, stop);
        _screen.Done("certificates for both", $"spiffe://{domain[..8]}…/svc/counting, …/svc/dashboard");
        await UntilAsync(
            agent, "an answer through the mesh", async () => (await traffic.AskAsync(stop)).IsAnswered, stop);
        _screen.Done("sidecars connected, mutual TLS", "dashboard → counting answers");
    }

    private async Task ShowAsync(DemoAgent agent, DemoTraffic traffic, TimeSpan? limit, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        while (limit is null || time.GetElapsedTime(start) < limit)
        {
            if (agent.HasEnded)
            {
                _screen.End($"the agent has ended; its log ends with:\n{agent.Log}");
                return;
            }

            _screen.Show(await traffic.AskAsync(stop));
            await traffic.PauseAsync(stop);
        }

        _screen.End("ended");
    }

    private async Task UntilAsync(DemoAgent agent, string what, Func<Task<bool>> claim, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        while (!await claim())
        {
            if (agent.HasEnded || time.GetElapsedTime(start) > ReadyLimit)
            {
                throw new TimeoutException(
                    agent.HasEnded ? "The agent has ended." : $"Waited {ReadyLimit.TotalSeconds:0} s for {what}.");
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    private static async Task<bool> HasAsync(PraetorClient client, string path, string text, CancellationToken stop)
    {
        var answer = await TextAsync(client, path, stop);
        return answer.Contains(text, StringComparison.Ordinal);
    }

    private static async Task<string> TrustDomainAsync(PraetorClient client, CancellationToken stop)
    {
        var text = await TextAsync(client, "/v1/connect/ca/roots", stop);
        if (text.Length == 0)
        {
            return "";
        }

        using var json = JsonDocument.Parse(text);
        return json.RootElement.GetProperty("TrustDomain").GetString() ?? "";
    }

    // Empty while the agent is not there yet, or has nothing to say yet.
    private static async Task<string> TextAsync(PraetorClient client, string path, CancellationToken stop)
    {
        try
        {
            return await client.SendTextAsync(HttpMethod.Get, path, null, null, stop);
        }
        catch (Exception absent) when (absent is HttpRequestException or ApiException or TimeoutException)
        {
            return "";
        }
    }
}
