using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Cluster;

/// <summary>What a server of several says.</summary>
internal sealed partial class ClusterNode
{
    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Text}")]
        public static partial void Said(ILogger log, string text);

        [LoggerMessage(2, LogLevel.Warning, "{Text}")]
        public static partial void Warned(ILogger log, string text);

        [LoggerMessage(6, LogLevel.Debug, "looking after the cluster failed, trying again: {Why}")]
        public static partial void NotTended(ILogger log, string why);

        [LoggerMessage(7, LogLevel.Warning,
            "this server was taken out of the cluster; it removes its etcd's data and comes back as a new one")]
        public static partial void IsOut(ILogger log);

        [LoggerMessage(8, LogLevel.Warning,
            "the data of this server's etcd is gone; it comes back as a new one: folder={Folder}")]
        public static partial void LostData(ILogger log, string folder);

        [LoggerMessage(9, LogLevel.Warning,
            "the etcds of the servers speak without TLS, although it is asked for between agents: {Why}")]
        public static partial void NoTls(ILogger log, string why);

        [LoggerMessage(10, LogLevel.Warning,
            "a server cannot take part: of its etcd and those here only one side speaks TLS, and a cluster stays as it "
            + "was founded; configure it as the others were then, or found a new cluster with TLS and restore a "
            + "snapshot (docs/servers.md, 'TLS between etcds'): server={Server}")]
        public static partial void OtherTls(ILogger log, string server);
    }
}
