using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>The checks that take a node or a service out of use by hand.</summary>
internal static class Maintenance
{
    public const string NodeCheckId = "_node_maintenance";

    private const string NoReason =
        "Maintenance mode is enabled for this {0}, but no reason was provided. This is a default message.";

    public static string ServiceCheckId(string serviceId) => "_service_maintenance:" + serviceId;

    public static LocalCheck OfNode(string node, string reason) => Check(new CheckRecord
    {
        Node = node,
        Id = NodeCheckId,
        Name = "Node Maintenance Mode",
        Notes = reason.Length > 0 ? reason : NoReason.Replace("{0}", "node"),
    });

    public static LocalCheck OfService(ServiceRecord service, string reason) => Check(new CheckRecord
    {
        Node = service.Node,
        Id = ServiceCheckId(service.Id),
        Name = "Service Maintenance Mode",
        Notes = reason.Length > 0 ? reason : NoReason.Replace("{0}", "service"),
        ServiceId = service.Id,
        ServiceName = service.Name,
        ServiceTags = service.Tags,
    });

    private static LocalCheck Check(CheckRecord record) => new()
    {
        Record = record with { Status = CheckStatuses.Critical, Type = "maintenance" }, Origin = LocalOrigin.Api,
    };
}
