using System.Collections.Frozen;

namespace Praetor.Agent.Checks;

/// <summary>The registry of check types: a new type is a file of its own and a line here.</summary>
internal static class CheckRunners
{
    public static FrozenDictionary<CheckKind, ICheckRunner> All(
        Dialer dialer, CheckProcess processes, TimeProvider time) => new Dictionary<CheckKind, ICheckRunner>
        {
            [CheckKind.Http] = new HttpCheck(dialer, time),
            [CheckKind.Tcp] = new TcpCheck(dialer, time),
            [CheckKind.Udp] = new UdpCheck(time),
            [CheckKind.Grpc] = new GrpcCheck(dialer, time),
            [CheckKind.H2Ping] = new H2PingCheck(dialer, time),
            [CheckKind.Script] = new ScriptCheck(processes),
            [CheckKind.Docker] = new DockerCheck(processes),
            [CheckKind.OsService] = new OsServiceCheck(processes),
        }.ToFrozenDictionary();
}
