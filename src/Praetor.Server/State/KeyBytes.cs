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

    public static byte[] Folded(string part) => Encoding.UTF8.GetBytes(part.ToLowerInvariant() + '\0');

    public static byte[] Folded(string first, string second) =>
        Encoding.UTF8.GetBytes(first.ToLowerInvariant() + '\0' + second.ToLowerInvariant() + '\0');

    public static byte[] Folded(string first, string second, string third) => Encoding.UTF8.GetBytes(
        first.ToLowerInvariant() + '\0' + second.ToLowerInvariant() + '\0' + third.ToLowerInvariant() + '\0');

    /// <summary>A key for people, shortened.</summary>
    public static string Text(byte[] key)
    {
        var text = Encoding.UTF8.GetString(key).TrimEnd('\0').Replace('\0', ' ');
        return text.Length <= TextMax ? text : text[..TextMax] + "…";
    }
}
