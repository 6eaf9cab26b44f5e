using Praetor.Proxy.Plane;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class HandshakesTests
{
    private const ulong Stranger = 1;
    private const ulong Friend = 2;

    private readonly HashSet<string> _silent = [];
    private readonly Handshakes<string> _places;

    public HandshakesTests() => _places = new Handshakes<string>(limit: 3, limitPerSource: 2, _silent.Contains);

    [Fact]
    public void The_oldest_silent_stranger_gives_way_when_all_places_are_taken()
    {
        Begin("talking", Friend, isSilent: false);
        Begin("first", Stranger);
        Begin("second", Stranger);
        _places.HasRoom(Friend).ShouldBeFalse();
        _places.MakeRoom(Friend).ShouldBe("first");
        _places.Remove("first");
        _places.HasRoom(Friend).ShouldBeTrue();
    }

    [Fact]
    public void A_source_with_all_its_places_displaces_only_itself()
    {
        Begin("friend", Friend);
        Begin("first", Stranger);
        Begin("second", Stranger);
        _places.MakeRoom(Stranger).ShouldBe("first");
    }

    [Fact]
    public void One_source_cannot_take_all_places()
    {
        Begin("first", Stranger, isSilent: false);
        Begin("second", Stranger, isSilent: false);
        _places.HasRoom(Stranger).ShouldBeFalse();
        _places.MakeRoom(Stranger).ShouldBeNull();
        _places.HasRoom(Friend).ShouldBeTrue();
    }

    [Fact]
    public void A_place_is_given_back_once()
    {
        Begin("first", Stranger);
        Begin("second", Stranger);
        _places.Remove("first");
        _places.Remove("first");
        _places.Count.ShouldBe(1);
        _places.HasRoom(Stranger).ShouldBeTrue();
    }

    private void Begin(string link, ulong source, bool isSilent = true)
    {
        _places.Add(link, source);
        if (isSilent)
        {
            _silent.Add(link);
        }
    }
}
