namespace Praetor.Proxy;

/// <summary>How much a line of the log matters.</summary>
public enum ProxyLogLevel
{
    /// <summary>For whoever looks for a fault in the proxy.</summary>
    Debug,

    /// <summary>What happens in ordinary days.</summary>
    Info,

    /// <summary>Something failed and may mend itself.</summary>
    Warn,

    /// <summary>Something failed that a person must mend.</summary>
    Error,
}

/// <summary>Takes the proxy's log lines. Must not block and must not throw.</summary>
public delegate void ProxyLog(ProxyLogLevel level, string message);
