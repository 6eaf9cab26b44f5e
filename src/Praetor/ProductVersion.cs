using System.Globalization;
using System.Reflection;

namespace Praetor;

/// <summary>Which version this is, and which version of Consul it tells clients that it is.</summary>
internal static class ProductVersion
{
    /// <summary>The version of Consul reported wherever clients look for one: they choose what they send by
    /// it.</summary>
    public const string Consul = "1.22.0";

    private static readonly string Informational =
        typeof(ProductVersion).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0.0.0";

    /// <summary>The product's own version.</summary>
    public static string Own => Informational.Split('+')[0];

    /// <summary>The first letters of the commit it was built from; <c>unknown</c> without one.</summary>
    public static string Revision
    {
        get
        {
            const int shown = 8;
            var plus = Informational.IndexOf('+', StringComparison.Ordinal);
            return plus < 0 ? "unknown" : Informational[(plus + 1)..Math.Min(Informational.Length, plus + 1 + shown)];
        }
    }

    /// <summary>The date of the commit it was built from, as RFC 3339, for builds are reproducible.</summary>
    /// <remarks>The build asks git for it (Praetor.csproj). Without git it is the date of the file.</remarks>
    public static string BuildDate { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(static about => about.Key == "CommitDate")?.Value ?? DateOfFile();

    private static string DateOfFile() =>
        File.GetLastWriteTimeUtc(Path.Combine(AppContext.BaseDirectory, "praetor.dll"))
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
