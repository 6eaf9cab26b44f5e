using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Config;
using Praetor.Agent.Local;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Local;

/// <summary>How many registrations a second an agent takes with everything on disk. Run by name only.</summary>
public sealed class RegistrationRate
{
    private const int Clients = 16;
    private const int PerClient = 1500;

    [Fact(Explicit = true)]
    public async Task Sixteen_clients_register()
    {
        using var folder = new TempFolder("local");
        using var store = new StateStore(new SqliteEngine(Path.Combine(folder.Path, "state.db")));
        var options = new LocalAgentOptions
        {
            Node = new NodeIdentity
            {
                Id = "", Name = "lab", Address = "127.0.0.1", Datacenter = "dc1", IsServer = true,
            },
            DataDir = folder.Path,
        };
        await using var agent = new LocalAgent(
            options, new StoreCatalog(store, new QueryHub(store, TimeProvider.System)), TimeProvider.System,
            new Random(1), NullLoggerFactory.Instance);
        await agent.StartAsync(CancellationToken.None);
        var begin = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var planner = new DefinitionPlanner(options.Node, LocalOrigin.Api);
            for (var i = 0; i < PerClient; i++)
            {
                var body = DefinitionBody.Service(System.Text.Encoding.UTF8.GetBytes(
                    $$$"""
                    {"Name":"web","ID":"web-{{{client}}}-{{{i}}}","Port":8080,"Tags":["a"],"Check":{"TTL":"1h"}}
                    """));
                (await agent.RegisterAsync(planner.Plan(body.Value!))).ShouldBeNull();
            }
        })));

        var elapsed = TimeProvider.System.GetElapsedTime(begin);
        var rate = Clients * PerClient / elapsed.TotalSeconds;
        rate.ShouldBeGreaterThan(0);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rate:0} registrations/s"));
    }
}
