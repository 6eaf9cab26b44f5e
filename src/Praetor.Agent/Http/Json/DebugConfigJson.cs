using System.Text.Json;
using Praetor.Agent.Config;
using Praetor.Agent.Local;

namespace Praetor.Agent.Http.Json;

/// <summary>The settings in effect, under the names that Consul's DebugConfig has for them; no secrets.</summary>
internal static class DebugConfigJson
{
    public static void Write(Utf8JsonWriter json, AgentConfig config, NodeIdentity node)
    {
        WriteIdentity(json, config, node);
        WriteAddresses(json, config);
        WriteChecks(json, config);
        WriteDns(json, config.Dns);
        json.WriteBoolean("ACLsEnabled", config.Acl.IsEnabled);
        json.WriteString("ACLDefaultPolicy", config.Acl.DefaultPolicy);
        json.WriteString("ACLDownPolicy", config.Acl.DownPolicy);
        json.WriteBoolean("ConnectEnabled", config.Connect.IsEnabled);
        json.WriteBoolean("PeeringEnabled", config.Connect.IsPeeringEnabled);
        json.WriteBoolean("EnableDebug", config.Values.Flag("enable_debug"));
        json.WriteBoolean("EnableUI", config.Ui.IsEnabled);
        json.WriteString("UIContentPath", config.Ui.ContentPath);
        json.WriteString("DefaultQueryTime", config.Values.Show("default_query_time"));
        json.WriteString("MaxQueryTime", config.Values.Show("max_query_time"));
        json.WriteNumber("KVMaxValueSize", config.Limits.KvValueBytesMax);
        json.WriteNumber("TxnMaxReqLen", config.Limits.TxnBytesMax);
        json.WriteNumber("HTTPMaxConnsPerClient", config.Limits.HttpConnectionsPerClient);
        json.WriteString("HTTPSHandshakeTimeout", config.Values.Show("limits.https_handshake_timeout"));
        json.WriteString("CAFile", config.Https.CaFile);
        json.WriteString("CAPath", config.Https.CaPath);
        json.WriteString("CertFile", config.Https.CertFile);
        json.WriteString("KeyFile", config.Https.KeyFile.Length > 0 ? "hidden" : "");
        json.WriteBoolean("VerifyIncomingHTTPS", config.Https.VerifyIncoming);
        json.WriteString("UnixSocketUser", config.SocketFiles.User);
        json.WriteString("UnixSocketGroup", config.SocketFiles.Group);
        json.WriteString("UnixSocketMode", config.Values.Text("unix_sockets.mode"));
        json.WriteStartObject("Logging");
        json.WriteString("LogLevel", config.Log.Level);
        json.WriteBoolean("LogJSON", config.Log.IsJson);
        json.WriteString("LogFilePath", config.Log.File);
        json.WriteBoolean("EnableSyslog", config.Log.SyslogFacility is not null);
        json.WriteString("SyslogFacility", config.Values.Text("syslog_facility"));
        json.WriteEndObject();
    }

    private static void WriteIdentity(Utf8JsonWriter json, AgentConfig config, NodeIdentity node)
    {
        json.WriteString("Datacenter", config.Datacenter);
        json.WriteString("PrimaryDatacenter", config.PrimaryDatacenter);
        json.WriteString("NodeName", config.NodeName);
        json.WriteString("NodeID", node.Id);
        CatalogJson.WriteMap(json, "NodeMeta", config.NodeMeta);
        json.WriteString("DataDir", config.DataDir);
        json.WriteBoolean("DevMode", config.IsDev);
        json.WriteBoolean("ServerMode", config.IsServer);
        json.WriteBoolean("Bootstrap", config.IsBootstrap && !config.IsDev);
        json.WriteNumber("BootstrapExpect", config.BootstrapExpect);
        json.WriteBoolean("LeaveOnTerm", config.LeaveOnTerminate);
        json.WriteBoolean("SkipLeaveOnInt", config.SkipLeaveOnInterrupt);
        json.WriteString("PidFile", config.PidFile);
        json.WriteString("Version", NodeIdentity.CompatibleVersion);
        json.WriteString("VersionPrerelease", "");
        json.WriteString("Revision", "");
    }

    private static void WriteAddresses(Utf8JsonWriter json, AgentConfig config)
    {
        var addresses = config.Addresses;
        json.WriteString("BindAddr", addresses.Bind.ToString());
        json.WriteString("AdvertiseAddrLAN", addresses.Advertise.ToString());
        json.WriteString("AdvertiseAddrWAN", addresses.AdvertiseWan.ToString());
        CatalogJson.WriteMap(json, "TaggedAddresses", addresses.TaggedLan);
        var clients = addresses.Client.Select(static a => a.Address?.ToString() ?? "unix://" + a.UnixPath);
        CatalogJson.WriteTags(json, "ClientAddrs", [.. clients]);
        WriteListeners(json, "HTTPAddrs", addresses.Http, "tcp");
        WriteListeners(json, "HTTPSAddrs", addresses.Https, "tcp");
        WriteListeners(json, "GRPCAddrs", addresses.Grpc, "tcp");
        WriteListeners(json, "GRPCTLSAddrs", addresses.GrpcTls, "tcp");
        WriteListeners(json, "DNSAddrs", addresses.Dns, "tcp", "udp");
        json.WriteNumber("HTTPPort", config.Ports.Http);
        json.WriteNumber("HTTPSPort", config.Ports.Https);
        json.WriteNumber("DNSPort", config.Ports.Dns);
        json.WriteNumber("GRPCPort", config.Ports.Grpc);
        json.WriteNumber("GRPCTLSPort", config.Ports.GrpcTls);
        json.WriteNumber("ServerPort", config.Ports.Server);
        json.WriteNumber("SerfPortLAN", config.Ports.SerfLan);
        json.WriteNumber("SerfPortWAN", config.Ports.SerfWan);
        json.WriteNumber("ConnectSidecarMinPort", config.Ports.SidecarMin);
        json.WriteNumber("ConnectSidecarMaxPort", config.Ports.SidecarMax);
        json.WriteNumber("ExposeMinPort", config.Ports.ExposeMin);
        json.WriteNumber("ExposeMaxPort", config.Ports.ExposeMax);
    }

    private static void WriteListeners(
        Utf8JsonWriter json, string name, IReadOnlyList<ListenAddress> addresses, params ReadOnlySpan<string> schemes)
    {
        json.WriteStartArray(name);
        foreach (var scheme in schemes)
        {
            foreach (var address in addresses)
            {
                json.WriteStringValue(address.Address is null ? address.ToString() : $"{scheme}://{address}");
            }
        }

        json.WriteEndArray();
    }

    private static void WriteChecks(Utf8JsonWriter json, AgentConfig config)
    {
        json.WriteBoolean("EnableRemoteScriptChecks", config.CheckSettings.AllowScripts);
        json.WriteBoolean("EnableLocalScriptChecks", config.CheckSettings.AllowLocalScripts);
        json.WriteBoolean("DiscardCheckOutput", config.CheckSettings.DiscardOutput);
        json.WriteNumber("CheckOutputMaxSize", config.CheckSettings.OutputBytesMax);
        json.WriteString("CheckUpdateInterval", config.Values.Show("check_update_interval"));
        json.WriteString("CheckDeregisterIntervalMin", "1m0s");
        json.WriteString("CheckReapInterval", "30s");
        json.WriteString("AEInterval", "1m0s");
    }

    private static void WriteDns(Utf8JsonWriter json, DnsConfig dns)
    {
        json.WriteString("DNSDomain", dns.Domain);
        json.WriteString("DNSAltDomain", dns.AltDomain);
        CatalogJson.WriteTags(json, "DNSRecursors", [.. dns.Recursors.Select(static at => at.Text)]);
        json.WriteBoolean("DNSOnlyPassing", dns.OnlyPassing);
        json.WriteBoolean("DNSAllowStale", dns.AllowStale);
        json.WriteBoolean("DNSEnableTruncate", dns.EnableTruncate);
        json.WriteBoolean("DNSDisableCompression", dns.DisableCompression);
        json.WriteBoolean("DNSNodeMetaTXT", dns.NodeMetaTxt);
        json.WriteNumber("DNSUDPAnswerLimit", dns.UdpAnswerLimit);
        json.WriteNumber("DNSARecordLimit", dns.ARecordLimit);
        json.WriteBoolean("DNSUseCache", dns.UseCache);
    }
}
