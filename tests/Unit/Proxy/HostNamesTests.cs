using System.Net;
using System.Net.Sockets;
using Praetor.Proxy.Control;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class HostNamesTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_name_that_is_too_long_is_a_host_that_is_not_found()
    {
        var problem = await Should.ThrowAsync<SocketException>(
            HostNames.FindAsync(new string('a', 300), Limit, TimeProvider.System, CancellationToken.None));
        problem.SocketErrorCode.ShouldBe(SocketError.HostNotFound);
    }

    [Fact]
    public async Task An_address_needs_no_looking_up() =>
        (await HostNames.FindAsync("10.1.2.3", TimeSpan.Zero, TimeProvider.System, CancellationToken.None))
            .ShouldBe([IPAddress.Parse("10.1.2.3")]);
}
