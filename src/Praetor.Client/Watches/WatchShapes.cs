using static Praetor.Client.Watches.WatchShape;

namespace Praetor.Client.Watches;

/// <summary>What each type of watch puts out.</summary>
internal static class WatchShapes
{
    private static readonly WatchShape Texts = ListOf(Text);
    private static readonly WatchShape TextMap = MapOf(Text);

    private static readonly WatchShape MeshGateway = Object(new Member("Mode", Text, UnlessEmpty: true));

    private static readonly WatchShape Upstream = Object(
        new("DestinationType", Text, true),
        new("DestinationNamespace", Text, true),
        new("DestinationName", Text),
        new("Datacenter", Text, true),
        new("LocalBindAddress", Text, true),
        new("LocalBindPort", Number, true),
        new("Config", Any, true),
        new("MeshGateway", MeshGateway, true));

    private static readonly WatchShape ExposedPath = Object(
        new("ListenerPort", Number, true),
        new("Path", Text, true),
        new("LocalPathPort", Number, true),
        new("Protocol", Text, true),
        new("ParsedFromCheck", Flag));

    private static readonly WatchShape Proxy = Object(
        new("DestinationServiceName", Text, true),
        new("DestinationServiceID", Text, true),
        new("LocalServiceAddress", Text, true),
        new("LocalServicePort", Number, true),
        new("Config", Any, true),
        new("Upstreams", ListOf(Upstream), true),
        new("MeshGateway", MeshGateway, true),
        new("Expose", Object(new("Checks", Flag, true), new("Paths", ListOf(ExposedPath), true)), true));

    /// <summary>An instance, as its agent knows it and in health answers.</summary>
    public static readonly WatchShape AgentService = Object(
        new("Kind", Text, true),
        new("ID", Text),
        new("Service", Text),
        new("Tags", Texts),
        new("Meta", TextMap),
        new("Port", Number),
        new("Address", Text),
        new("TaggedAddresses", MapOf(Object(new("Address", Text), new("Port", Number))), true),
        new("Weights", Object(new("Passing", Number), new("Warning", Number))),
        new("EnableTagOverride", Flag),
        new("CreateIndex", Number, true),
        new("ModifyIndex", Number, true),
        new("ContentHash", Text, true),
        new("Proxy", Proxy.OrNull(), true),
        new("Connect", Object(new Member("Native", Flag, UnlessEmpty: true)).OrNull(), true),
        new("Namespace", Text, true),
        new("Datacenter", Text, true));

    private static readonly WatchShape Node = Object(
        new("ID", Text),
        new("Node", Text),
        new("Address", Text),
        new("Datacenter", Text),
        new("TaggedAddresses", TextMap),
        new("Meta", TextMap),
        new("CreateIndex", Number),
        new("ModifyIndex", Number));

    private static readonly WatchShape Check = Object(
        new("Node", Text),
        new("CheckID", Text),
        new("Name", Text),
        new("Status", Text),
        new("Notes", Text),
        new("Output", Text),
        new("ServiceID", Text),
        new("ServiceName", Text),
        new("ServiceTags", Texts),
        new("Type", Text),
        new("Namespace", Text, true),
        new("Definition", Object(
            new("Interval", Duration),
            new("Timeout", Duration),
            new("DeregisterCriticalServiceAfter", Duration),
            new("HTTP", Text),
            new("Header", MapOf(Texts)),
            new("Method", Text),
            new("Body", Text),
            new("TLSSkipVerify", Flag),
            new("TCP", Text))),
        new("CreateIndex", Number),
        new("ModifyIndex", Number));

    public static readonly WatchShape Key = Object(
        new("Key", Text),
        new("CreateIndex", Number),
        new("ModifyIndex", Number),
        new("LockIndex", Number),
        new("Flags", Number),
        new("Value", Any),
        new("Session", Text),
        new("Namespace", Text, true)).OrNull();

    public static readonly WatchShape Keys = ListOf(Key);

    public static readonly WatchShape Services = MapOf(Texts);

    public static readonly WatchShape Nodes = ListOf(Node.OrNull());

    public static readonly WatchShape Service = ListOf(Object(
        new("Node", Node.OrNull()), new("Service", AgentService.OrNull()), new("Checks", ListOf(Check.OrNull()))));

    public static readonly WatchShape Checks = ListOf(Check.OrNull());

    public static readonly WatchShape Events = ListOf(Object(
        new("ID", Text),
        new("Name", Text),
        new("Payload", Any),
        new("NodeFilter", Text),
        new("ServiceFilter", Text),
        new("TagFilter", Text),
        new("Version", Number),
        new("LTime", Number)));

    public static readonly WatchShape Roots = Object(
        new("ActiveRootID", Text),
        new("TrustDomain", Text),
        new("Roots", ListOf(Object(
            new("ID", Text),
            new("Name", Text),
            new("RootCert", Text),
            new("Active", Flag),
            new("CreateIndex", Number),
            new("ModifyIndex", Number)))));

    public static readonly WatchShape Leaf = Object(
        new("SerialNumber", Text),
        new("CertPEM", Text),
        new("PrivateKeyPEM", Text),
        new("Service", Text),
        new("ServiceURI", Text),
        new("ValidAfter", Text),
        new("ValidBefore", Text),
        new("CreateIndex", Number),
        new("ModifyIndex", Number));
}
