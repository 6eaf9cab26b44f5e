namespace Praetor.Agent.Http;

/// <summary>What no name or id of a node, a service or a check may be.</summary>
/// <remarks>
/// A zero byte ends each part of a composed key of the state, so a name that held one would be found as another's.
/// Other control characters only serve to deceive whoever reads a list.
/// </remarks>
internal static class NameRules
{
    /// <summary>How long a name may be, in characters.</summary>
    public const int LengthMax = 2048;

    public const string Problem = "names and ids must not hold control characters nor be longer than 2048 characters";

    public static bool IsBad(string name) =>
        name.Length > LengthMax || name.AsSpan().ContainsAnyInRange('\0', '\u001f');
}
