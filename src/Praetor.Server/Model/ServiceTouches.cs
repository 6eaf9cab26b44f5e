using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>
/// Notes, for each service, when anything that its health answer shows has changed: its instances, their checks,
/// their nodes, and the checks of these nodes. A reader of a service's health waits for this one key.
/// </summary>
internal static class ServiceTouches
{
    /// <summary>The key for a service reached by its own name.</summary>
    public static byte[] ByName(string service) => KeyBytes.Folded("name", service);

    /// <summary>The key for a service reached through the mesh.</summary>
    public static byte[] ByConnect(string service) => KeyBytes.Folded("connect", service);

    /// <summary>Notes every service, in place of one note for each record while all of them are restored.</summary>
    public static void TouchAll(WriteTransaction tx)
    {
        foreach (var (index, key) in ((TableIndex<ServiceRecord>, Func<string, byte[]>)[])
            [(Tables.ServicesByName, ByName), (Tables.ServicesByConnect, ByConnect)])
        {
            var last = "";
            foreach (var service in tx.PeekScan(index, []))
            {
                var name = ReferenceEquals(index, Tables.ServicesByName) ? service.Name : service.ConnectDestination!;
                if (!name.Equals(last, StringComparison.OrdinalIgnoreCase))
                {
                    tx.PutDerived(Tables.TouchByName, key(name), new ServiceTouch { ModifyIndex = tx.CommandIndex });
                    last = name;
                }
            }
        }
    }

    public static void ServiceChanged(WriteTransaction tx, ServiceRecord? old, ServiceRecord? record)
    {
        if (old is not null && (record is null || old.Name != record.Name
            || old.ConnectDestination != record.ConnectDestination))
        {
            TouchService(tx, old);
        }

        if (record is not null)
        {
            TouchService(tx, record);
        }
    }

    public static void NodeChanged(WriteTransaction tx, NodeRecord? old, NodeRecord? record) =>
        TouchAllOn(tx, (record ?? old)!.Name);

    public static void CheckChanged(WriteTransaction tx, CheckRecord? old, CheckRecord? record)
    {
        // A check that goes over to another service, or to the node, is missing where it was.
        if (old is not null && record is not null
            && !old.ServiceId.Equals(record.ServiceId, StringComparison.OrdinalIgnoreCase))
        {
            TouchSubject(tx, old);
        }

        TouchSubject(tx, (record ?? old)!);
    }

    private static void TouchSubject(WriteTransaction tx, CheckRecord check)
    {
        if (check.ServiceId.Length == 0)
        {
            TouchAllOn(tx, check.Node);
            return;
        }

        if (tx.Peek(Tables.ServicesByNode, KeyBytes.Folded(check.Node, check.ServiceId)) is { } service)
        {
            TouchService(tx, service);
        }
    }

    private static void TouchAllOn(WriteTransaction tx, string node)
    {
        foreach (var service in tx.PeekScan(Tables.ServicesByNode, KeyBytes.Folded(node)).ToList())
        {
            TouchService(tx, service);
        }
    }

    private static void TouchService(WriteTransaction tx, ServiceRecord service)
    {
        Touch(tx, ByName(service.Name), Tables.ServicesByName, service.Name);
        if (service.ConnectDestination is { } destination)
        {
            Touch(tx, ByConnect(destination), Tables.ServicesByConnect, destination);
        }
    }

    // The note of a service without instances is dropped, else names that come and go would pile up; the tree above
    // it remembers the index.
    private static void Touch(WriteTransaction tx, byte[] key, TableIndex<ServiceRecord> index, string service)
    {
        if (tx.PeekScan(index, KeyBytes.Folded(service)).Any())
        {
            tx.PutDerived(Tables.TouchByName, key, new ServiceTouch { ModifyIndex = tx.CommandIndex });
        }
        else
        {
            tx.RemoveDerived(Tables.TouchByName, key);
        }
    }
}
