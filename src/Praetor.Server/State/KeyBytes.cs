using System.Buffers;
using System.Text;

namespace Praetor.Server.State;

/// <summary>Makes the byte keys under which records stand.</summary>
/// <remarks>
/// Names of nodes, services and checks are found regardless of case, as in Consul, so they are folded. Each part of a
/// composed key ends with a zero byte, which no name may hold; so a scan of <c>web\0</c> never meets <c>web2</c>.
/// </remarks>
internal static class KeyBytes
{
    private const int TextMax = 128;

    public static byte[] Exact(string key) => Encoding.UTF8.GetBytes(key);

    public static byte[] Folded(string part) =>
        TryFold(part, null, null) ?? Encoding.UTF8.GetBytes(part.ToLowerInvariant() + '\0');

    public static byte[] Folded(string first, string second) => TryFold(first, second, null)
        ?? Encoding.UTF8.GetBytes(first.ToLowerInvariant() + '\0' + second.ToLowerInvariant() + '\0');

    public static byte[] Folded(string first, string second, string third) =>
        TryFold(first, second, third) ?? Encoding.UTF8.GetBytes(
            first.ToLowerInvariant() + '\0' + second.ToLowerInvariant() + '\0' + third.ToLowerInvariant() + '\0');

    // Most names are ASCII, and a state makes a million keys. Null: one of these is not.
    private static byte[]? TryFold(string first, string? second, string? third)
    {
        var length = first.Length + 1 + (second?.Length + 1 ?? 0) + (third?.Length + 1 ?? 0);
        var key = new byte[length];
        var at = 0;
        return TryFold(first, key, ref at) && TryFold(second, key, ref at) && TryFold(third, key, ref at) ? key : null;
    }

    private static bool TryFold(string? part, byte[] key, ref int at)
    {
        if (part is null)
        {
            return true;
        }

        if (Ascii.ToLower(part, key.AsSpan(at), out var written) != OperationStatus.Done)
        {
            return false;
        }

        at += written + 1;
        return true;
    }

    /// <summary>A key for people, shortened.</summary>
    public static string Text(byte[] key)
    {
        var text = Encoding.UTF8.GetString(key).TrimEnd('\0').Replace('\0', ' ');
        return text.Length <= TextMax ? text : text[..TextMax] + "…";
    }
}
