using System.Text;
using Codecs.MessagePack;
using Shouldly;
using Xunit;

namespace Unit.Snapshots;

public sealed class MessagePackMapTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(24)]
    [InlineData(60)]
    public void Every_member_is_found_in_any_order_and_one_that_is_absent_is_not(int members)
    {
        var random = new Random(members);
        var bytes = Map(members);
        foreach (var pool in (MessagePackPool?[])[null, new MessagePackPool()])
        {
            var map = MessagePackMap.Open(bytes, pool);
            for (var i = 0; i < 200; i++)
            {
                var member = random.Next(members);
                map.Text(Encoding.UTF8.GetBytes($"m{member}")).ShouldBe($"v{member}");
                map.Text("absent"u8).ShouldBe("");
            }

            map.Problem.ShouldBeNull();
        }
    }

    [Fact]
    public void The_same_text_and_list_are_one_object_and_others_are_not_mistaken_for_them()
    {
        var pool = new MessagePackPool();
        pool.TryText("web"u8, out var first).ShouldBeTrue();
        pool.TryText("web"u8, out var second).ShouldBeTrue();
        second.ShouldBeSameAs(first);
        for (var i = 0; i < 100_000; i++)
        {
            var text = $"é{i % 5000}-{i}";
            pool.TryText(Encoding.UTF8.GetBytes(text), out var pooled).ShouldBeTrue();
            pooled.ShouldBe(text);
        }

        pool.Keep([1, 2, 3], first);
        pool.Find<string>([1, 2, 3]).ShouldBeSameAs(first);
        pool.Find<string>([1, 2, 4]).ShouldBeNull();
        pool.Find<byte[]>([1, 2, 3]).ShouldBeNull();
    }

    [Fact]
    public void What_is_no_utf8_is_no_text_in_a_pool_either() =>
        new MessagePackPool().TryText([0x61, 0xff], out _).ShouldBeFalse();

    private static byte[] Map(int members)
    {
        var bytes = new byte[members * 16 + 16];
        var writer = new MessagePackWriter(bytes);
        writer.WriteMapHeader(members);
        for (var i = 0; i < members; i++)
        {
            writer.WriteString($"m{i}");
            writer.WriteString($"v{i}");
        }

        return bytes[..writer.Length];
    }
}
