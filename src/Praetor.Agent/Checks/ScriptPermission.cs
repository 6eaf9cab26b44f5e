namespace Praetor.Agent.Checks;

/// <summary>Which checks may start processes.</summary>
public enum ScriptChecks
{
    /// <summary>None; the default.</summary>
    Off = 0,

    /// <summary>Those of configuration files: <c>enable_local_script_checks</c>.</summary>
    LocalOnly = 1,

    /// <summary>Those registered through the API too: <c>enable_script_checks</c>.</summary>
    On = 2,
}

/// <summary>Where a check definition came from.</summary>
public enum CheckOrigin
{
    ConfigFile = 0,
    Api = 1,
}

/// <summary>Guards the only road from a check definition to a process.</summary>
public static class ScriptPermission
{
    /// <summary>What is said of scripts in files that may not run.</summary>
    public const string DisabledForFiles = "Scripts are disabled on this agent; "
        + "to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true";

    /// <summary>Why the check may not be registered; null when it may.</summary>
    public static string? Refusal(CheckSpec spec, CheckOrigin origin, ScriptChecks allowed)
    {
        if (spec.Kind is not (CheckKind.Script or CheckKind.Docker) || allowed == ScriptChecks.On)
        {
            return null;
        }

        if (origin == CheckOrigin.Api)
        {
            return "Scripts are disabled on this agent from remote calls; "
                + "to enable, configure 'enable_script_checks' to true";
        }

        return allowed == ScriptChecks.LocalOnly ? null : DisabledForFiles;
    }
}
