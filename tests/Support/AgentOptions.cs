namespace Support;

/// <summary>How a test wants its agent.</summary>
public sealed record AgentOptions
{
    /// <summary>The executable. Default: the one that PRAETOR_EXECUTABLE names, else what ./test published.</summary>
    public string Executable { get; init; } =
        Environment.GetEnvironmentVariable("PRAETOR_EXECUTABLE") is { Length: > 0 } set
        ? set
        : Repository.At("out", "praetor", "praetor");

    /// <summary>Everything in memory (<c>-dev</c>) or a server alone with a data folder. Default: in memory.</summary>
    public bool IsDev { get; init; } = true;

    /// <summary>How many servers there are to be (<c>-bootstrap-expect</c>), which then replicate. Default 1.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>A client agent, which has its state from servers. Default: a server.</summary>
    public bool IsClient { get; init; }

    /// <summary>The agents whose cluster it joins at start. Default: none.</summary>
    public IReadOnlyList<AgentProcess> Joins { get; init; } = [];

    /// <summary>It will find nobody, so that only its own API is waited for. Default: it finds a leader.</summary>
    public bool IsAlone { get; init; }

    /// <summary>The node's name. Default <c>lab</c>.</summary>
    public string Node { get; init; } = "lab";

    /// <summary>The node's id. Default: the one in the recordings of tests/conformance. Empty: it makes one.
    /// </summary>
    public string NodeId { get; init; } = "11111111-2222-3333-4444-555555555555";

    /// <summary>Configuration on top, as HCL, each given by <c>-hcl</c>.</summary>
    public IReadOnlyList<string> Hcl { get; init; } = [];

    /// <summary>Arguments on top.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The token of all requests and commands. Null: none.</summary>
    public string? Token { get; init; }

    /// <summary>How long the agent may take until it leads and its node is in the catalog. Default 30 s.</summary>
    public TimeSpan ReadyLimit { get; init; } = TimeSpan.FromSeconds(30);
}
