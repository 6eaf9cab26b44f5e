namespace Praetor.Commands;

/// <summary>The kinds of config entries there are.</summary>
internal static class ConfigEntryKinds
{
    public static IReadOnlyList<string> All { get; } =
    [
        "api-gateway", "bound-api-gateway", "control-plane-request-limit", "exported-services",
        "file-system-certificate", "http-route", "ingress-gateway", "inline-certificate", "jwt-provider", "mesh",
        "proxy-defaults", "sameness-group",
        "service-defaults", "service-intentions", "service-resolver", "service-router", "service-splitter", "tcp-route",
        "terminating-gateway",
    ];
}
