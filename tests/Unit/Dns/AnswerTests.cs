using Codecs.Dns;
using Praetor.Agent.Dns;
using Shouldly;
using Xunit;

namespace Unit.Dns;

/// <summary>What the recordings cannot show: order, caching, reloads, limits of our own.</summary>
public sealed class AnswerTests
{
    private readonly MemoryCatalog _catalog = new();
    private readonly byte[] _reply = new byte[DnsLimits.MessageBytesMax];

    [Fact]
    public void Every_order_of_three_instances_is_about_equally_likely()
    {
        AddThree();
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        var seen = new Dictionary<string, int>();
        for (int i = 0; i < 6000; i++)
        {
            string order = string.Join(' ', Ask(responder, "web.service.consul.", DnsType.A).Answer);
            seen[order] = seen.GetValueOrDefault(order) + 1;
        }
        seen.Count.ShouldBe(6);
        seen.Values.ShouldAllBe(n => n > 800 && n < 1200);
    }

    [Fact]
    public void Every_instance_gets_its_turn_when_an_answer_shows_only_some()
    {
        for (int i = 1; i <= 20; i++)
        {
            _catalog.Add("many", "n1", "10.0.0.1", "10.0.1." + i, 80);
        }
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        var seen = new HashSet<string>();
        for (int i = 0; i < 400; i++)
        {
            var answer = Ask(responder, "many.service.consul.", DnsType.A).Answer;
            answer.Length.ShouldBe(3);
            answer.Distinct().Count().ShouldBe(3);
            seen.UnionWith(answer);
        }
        seen.Count.ShouldBe(20);
    }

    [Fact]
    public void An_unchanged_service_is_not_looked_up_again()
    {
        AddThree();
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        Ask(responder, "web.service.consul.", DnsType.A);
        int lookups = _catalog.Lookups;
        Ask(responder, "WEB.service.consul.", DnsType.A).Question.ShouldBe(["WEB.service.consul. A"]);
        _catalog.Touch("other");
        Ask(responder, "web.service.consul.", DnsType.A);
        _catalog.Lookups.ShouldBe(lookups);
    }

    [Fact]
    public void A_change_is_seen_by_the_very_next_question()
    {
        AddThree();
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        Ask(responder, "web.service.consul.", DnsType.A).Answer.Length.ShouldBe(3);
        _catalog.Add("web", "n4", "10.0.0.4");
        Ask(responder, "web.service.consul.", DnsType.A, edns: 4096).Answer.Length.ShouldBe(4);
        _catalog.Remove("web");
        Ask(responder, "web.service.consul.", DnsType.A).Code.ShouldBe("NXDOMAIN");
    }

    [Fact]
    public void New_settings_count_from_the_next_question_on()
    {
        AddThree();
        var context = new DnsContext(new(new DnsOptions()), _catalog, TimeProvider.System, new DnsCounters());
        var responder = new DnsResponder(context, new Random(1), caches: true);
        Ask(responder, "web.service.consul.", DnsType.A).Answer[0].ShouldStartWith("web.service.consul. 0 A");
        context.Settings = new(new DnsOptions { ServiceTtl = new Dictionary<string, TimeSpan>
            { ["*"] = TimeSpan.FromSeconds(9) } });
        Ask(responder, "web.service.consul.", DnsType.A).Answer[0].ShouldStartWith("web.service.consul. 9 A");
    }

    [Fact]
    public void A_question_answered_from_the_cache_allocates_nothing()
    {
        AddThree();
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        foreach (DnsType type in new[] { DnsType.A, DnsType.Srv })
        {
            byte[] query = DnsText.Query("web.service.consul.", type, edns: 1232);
            responder.Answer(query, isTcp: false, _reply);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                responder.Answer(query, isTcp: false, _reply);
            }
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        }
    }

    [Theory]
    [InlineData(512)]
    [InlineData(700)]
    [InlineData(1232)]
    [InlineData(4096)]
    public void An_answer_is_never_larger_than_the_asker_announced(int size)
    {
        for (int i = 1; i <= 200; i++)
        {
            _catalog.Add("many", "n" + i, "10.0.2." + i);
        }
        foreach (bool compresses in new[] { true, false })
        {
            var responder = ReaderTests.Responder(_catalog, new DnsOptions { DisableCompression = !compresses });
            foreach (DnsType type in new[] { DnsType.A, DnsType.Srv, DnsType.Any })
            {
                var answer = Ask(responder, "many.service.consul.", type, edns: size);
                answer.Size.ShouldBeLessThanOrEqualTo(size);
                answer.Answer.ShouldNotBeEmpty();
            }
        }
    }

    [Fact]
    public void The_configured_cap_counts_when_the_asker_announces_more()
    {
        for (int i = 1; i <= 200; i++)
        {
            _catalog.Add("many", "n" + i, "10.0.2." + i);
        }
        var options = new DnsOptions { UdpReplyBytesMax = 1232, EnableTruncate = true };
        var answer = Ask(ReaderTests.Responder(_catalog, options), "many.service.consul.", DnsType.A, edns: 65535);
        answer.Size.ShouldBeInRange(1100, 1232);
        answer.Flags.ShouldContain("tc");
    }

    [Fact]
    public void Who_is_not_on_this_machine_is_sent_no_large_datagram()
    {
        for (int i = 1; i <= 200; i++)
        {
            _catalog.Add("many", "n" + i, "10.0.2." + i);
        }
        byte[] query = DnsText.Query("many.service.consul.", DnsType.A, edns: 65535);
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        responder.Answer(query, isTcp: false, _reply, AskerPlace.Near).ShouldBeInRange(1100, 1232);
        responder.Answer(query, isTcp: false, _reply).ShouldBeGreaterThan(3000);
    }

    [Fact]
    public void Foreign_names_are_looked_up_for_neighbours_only()
    {
        var options = new DnsOptions { Recursors = [new(System.Net.IPAddress.Loopback, 1)] };
        var responder = ReaderTests.Responder(_catalog, options);
        byte[] query = DnsText.Query("example.com.", DnsType.A);
        responder.Answer(query, isTcp: false, _reply, AskerPlace.Near).ShouldBe(DnsResponder.Deferred);
        int length = responder.Answer(query, isTcp: false, _reply, AskerPlace.Far);
        DnsText.Parse(_reply[..length]).Code.ShouldBe("REFUSED");
    }

    [Theory]
    [InlineData("127.0.0.9", "Loopback")]
    [InlineData("::1", "Loopback")]
    [InlineData("::ffff:127.0.0.1", "Loopback")]
    [InlineData("172.31.0.1", "Near")]
    [InlineData("fd00::1", "Near")]
    [InlineData("::ffff:10.1.1.1", "Near")]
    [InlineData("198.51.100.7", "Far")]
    [InlineData("2001:db8::1", "Far")]
    public void Askers_are_told_apart(string address, string place)
    {
        var settings = new DnsSettings(new DnsOptions { Recursors = [new(System.Net.IPAddress.Loopback, 1)] });
        var at = System.Net.IPAddress.Parse(address);
        DnsAsker.PlaceOf(at, settings).ToString().ShouldBe(place);
        DnsAsker.PlaceOf(new System.Net.IPEndPoint(at, 53).Serialize(), settings).ToString().ShouldBe(place);
    }

    [Fact]
    public void Three_thousand_instances_come_whole_by_TCP_as_far_as_a_message_goes()
    {
        for (int i = 0; i < 3000; i++)
        {
            _catalog.Add("huge", "n" + i, $"10.1.{i / 250}.{(i % 250) + 1}");
        }
        var responder = ReaderTests.Responder(_catalog, new DnsOptions { EnableTruncate = true });
        int length = responder.Answer(DnsText.Query("huge.service.consul.", DnsType.A), isTcp: true, _reply);
        DnsText.Parse(_reply[..length]).Answer.Length.ShouldBe(3000);
        length = responder.Answer(DnsText.Query("huge.service.consul.", DnsType.Srv), isTcp: true, _reply);
        var srv = DnsText.Parse(_reply[..length]);
        srv.Size.ShouldBeLessThanOrEqualTo(65523);
        srv.Flags.ShouldContain("tc");
        srv.Additional.Length.ShouldBe(srv.Answer.Length);
    }

    [Fact]
    public void Metadata_too_large_for_the_asker_is_cut_and_marked()
    {
        var meta = Enumerable.Range(0, 30).ToDictionary(i => "k" + i, _ => new string('v', 100));
        var node = new DnsNode("big", "10.0.0.1") { Meta = meta };
        var responder = ReaderTests.Responder(new OneNode(node), new DnsOptions());
        var text = Ask(responder, "big.node.consul.", DnsType.Txt);
        text.Size.ShouldBeLessThanOrEqualTo(512);
        text.Flags.ShouldContain("tc");
        var address = Ask(responder, "big.node.consul.", DnsType.A);
        address.Answer.Length.ShouldBe(1);
        address.Flags.ShouldNotContain("tc");
    }

    [Fact]
    public void A_text_longer_than_255_bytes_is_sent_in_pieces()
    {
        var node = new DnsNode("big", "10.0.0.1")
            { Meta = new Dictionary<string, string> { ["k"] = new('v', 300) } };
        var responder = ReaderTests.Responder(new OneNode(node), new DnsOptions());
        Ask(responder, "big.node.consul.", DnsType.Txt).Answer[0].ShouldContain("\" \"");
    }

    [Fact]
    public void Instances_with_names_that_DNS_cannot_carry_are_left_out_of_SRV()
    {
        _catalog.Add("web", new string('x', 64), "10.0.0.1");
        _catalog.Add("web", "n2", "10.0.0.2");
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        Ask(responder, "web.service.consul.", DnsType.Srv).Answer.Length.ShouldBe(1);
        Ask(responder, "web.service.consul.", DnsType.A).Answer.Length.ShouldBe(2);
    }

    [Fact]
    public void A_flood_of_different_names_keeps_the_cache_small()
    {
        AddThree();
        var responder = ReaderTests.Responder(_catalog, new DnsOptions());
        for (int i = 0; i < PlanCache.PlansMax * 3; i++)
        {
            responder.Answer(DnsText.Query("x" + i + ".service.consul.", DnsType.A), isTcp: false, _reply);
            responder.PlansKept.ShouldBeLessThanOrEqualTo(PlanCache.PlansMax);
        }
    }

    private void AddThree()
    {
        _catalog.Add("web", "n1", "10.0.0.1");
        _catalog.Add("web", "n2", "10.0.0.2");
        _catalog.Add("web", "n3", "10.0.0.3");
    }

    private DnsText Ask(DnsResponder responder, string name, DnsType type, int? edns = null)
    {
        int length = responder.Answer(DnsText.Query(name, type, edns), isTcp: false, _reply);
        return DnsText.Parse(_reply[..length]);
    }

    private sealed class OneNode(DnsNode node) : IDnsCatalog
    {
        public ulong Version => 1;

        public ulong VersionOf(string service) => 1;

        public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter) => [];

        public DnsNode? Node(string name, string datacenter) => node;

        public DnsNode? NodeAt(System.Net.IPAddress address) => null;

        public string? ServiceAt(System.Net.IPAddress address) => null;

        public IReadOnlyList<DnsNode> Servers() => [];
    }
}
