using System.Text;
using Gossip;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class KeyringTests
{
    private static readonly GossipKey First = GossipKey.Generate();
    private static readonly GossipKey Second = GossipKey.Generate();

    [Fact]
    public void A_key_is_changed_by_installing_using_and_removing()
    {
        var ring = new Keyring(First);
        ring.TryUse(Second, out string? problem).ShouldBeFalse();
        problem.ShouldBe("requested key is not in the keyring");
        ring.TryInstall(Second, out _).ShouldBeTrue();
        ring.TryInstall(Second, out _).ShouldBeTrue();
        ring.TryRemove(First, out problem).ShouldBeFalse();
        problem.ShouldBe("removing the primary key is not allowed");
        ring.TryUse(Second, out _).ShouldBeTrue();
        ring.TryRemove(First, out _).ShouldBeTrue();
        ring.Keys.ShouldBe([Second]);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(24, true)]
    [InlineData(32, true)]
    [InlineData(0, false)]
    [InlineData(15, false)]
    [InlineData(33, false)]
    public void Keys_have_16_24_or_32_bytes(int bytes, bool isTaken)
    {
        GossipKey.TryParse(Convert.ToBase64String(new byte[bytes]), out _, out string? problem).ShouldBe(isTaken);
        problem.ShouldBe(isTaken ? null : "key size must be 16, 24 or 32 bytes");
    }

    [Fact]
    public void A_keyring_file_is_a_list_of_keys_with_the_primary_first()
    {
        byte[] file = new Keyring(First, Second).ToFile();
        Encoding.UTF8.GetString(file).ShouldBe(
            $"[\n  \"{First.ToBase64()}\",\n  \"{Second.ToBase64()}\"\n]".ReplaceLineEndings());
        Keyring.TryParseFile(file, out Keyring? ring, out _).ShouldBeTrue();
        ring.Keys.ShouldBe([First, Second]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[\"abc\"]")]
    [InlineData("[\"\\ud800\"]")]
    [InlineData("[\"AAAA\"]")]
    [InlineData("[\"AAAAAAAAAAAAAAAAAAAAAA==\"")]
    public void A_broken_keyring_file_is_refused_with_its_reason(string file)
    {
        Keyring.TryParseFile(Encoding.UTF8.GetBytes(file), out _, out string? problem).ShouldBeFalse();
        problem.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_key_does_not_tell_itself_to_a_log() => First.ToString().ShouldBe("key of 32 bytes");
}
