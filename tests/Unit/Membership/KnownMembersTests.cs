using System.Net;
using Gossip.Serf;
using Gossip.Wire;
using Praetor.Agent.Membership;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Membership;

/// <summary>Who was there before, from our own file and from the one of a Consul agent.</summary>
public sealed class KnownMembersTests
{
    private const string Snapshot = """
        alive: one 10.0.0.1:8301
        alive: two 10.0.0.2:8301
        clock: 7
        event-clock: 3
        alive: six [fd00::6]:8301
        not-alive: two
        coordinate: {"Vec":[0,0],"Error":1.5}
        alive: a name with spaces 10.0.0.4:8301
        alive: broken 10.0.0.5:99999999
        alive: one 10.0.0.9:8301

        """;

    [Fact]
    public void An_agent_that_takes_over_consuls_data_directory_finds_its_way_back()
    {
        using var folder = new TempFolder("known");
        File.WriteAllText(folder.File("local.snapshot"), Snapshot);

        Read(folder).Order().ShouldBe(["10.0.0.4:8301", "10.0.0.9:8301", "[fd00::6]:8301"]);
    }

    [Theory]
    [InlineData("leave\n", false, 0)]
    [InlineData("leave\n", true, 3)]
    [InlineData("leave\nalive: new 10.0.0.7:8301\n", false, 1)]
    [InlineData("al", false, 3)]
    public void Who_left_goes_back_only_when_it_is_told_to(string end, bool evenIfLeft, int members)
    {
        using var folder = new TempFolder("known");
        File.WriteAllText(folder.File("local.snapshot"), Snapshot + end);

        Read(folder, evenIfLeft).Length.ShouldBe(members);
    }

    [Fact]
    public void Our_own_file_is_newer_than_consuls()
    {
        using var folder = new TempFolder("known");
        File.WriteAllText(folder.File("local.snapshot"), Snapshot);
        File.WriteAllText(folder.File("local.members"), "10.0.0.3:8301 three\n");

        Read(folder).ShouldBe(["10.0.0.3:8301"]);
    }

    [Fact]
    public void Who_left_and_was_alone_since_still_knows_the_way_back()
    {
        using var folder = new TempFolder("known");
        var known = new KnownMembers(folder.File("local.members"));
        known.Write([Seen("one", "10.0.0.1"), Seen("self", "10.0.0.9")], "self", hasLeft: true);

        known.Write([Seen("self", "10.0.0.9")], "self", hasLeft: false);

        known.Read(evenIfLeft: true).ShouldBe([IPEndPoint.Parse("10.0.0.1:8301")]);
        known.Read(evenIfLeft: false).ShouldBeEmpty();
    }

    private static SerfMember Seen(string name, string address) => new(
        name, new IPEndPoint(IPAddress.Parse(address), 8301), new Dictionary<string, string>(), SerfStatus.Alive,
        ProtocolVersions.Default);

    private static string[] Read(TempFolder folder, bool evenIfLeft = false) =>
        [.. new KnownMembers(folder.File("local.members"), folder.File("local.snapshot")).Read(evenIfLeft)
            .Select(static at => at.ToString())];
}
