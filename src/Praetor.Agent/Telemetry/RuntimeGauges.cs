namespace Praetor.Agent.Telemetry;

/// <summary>What the runtime says of itself, under the names that dashboards for Consul look for.</summary>
public static class RuntimeGauges
{
    /// <summary>Adds the gauges, each also under the name with the host in it, as today's Consul has them.</summary>
    public static void AddTo(Metrics metrics, string host)
    {
        Add(metrics, host, "alloc_bytes", static () => GC.GetTotalMemory(forceFullCollection: false));
        Add(metrics, host, "sys_bytes", static () => Environment.WorkingSet);
        // What is closest to a goroutine here: work that runs or waits for a thread.
        Add(metrics, host, "num_goroutines", static () => ThreadPool.ThreadCount + ThreadPool.PendingWorkItemCount);
        Add(metrics, host, "total_gc_pause_ns", static () => GC.GetTotalPauseDuration().TotalNanoseconds);
        Add(metrics, host, "total_gc_runs", static () => GC.CollectionCount(0));
    }

    private static void Add(Metrics metrics, string host, string name, Func<double> read)
    {
        metrics.Gauge("runtime." + name, read);
        metrics.Gauge(host + ".runtime." + name, read);
    }
}
