using System.Globalization;
using System.Text.Json;

namespace Praetor.Agent.Http.Json;

/// <summary>Numbers with a fraction as Go sets them: 0.00001 where .NET would write 1E-05.</summary>
internal static class GoFloat
{
    private const double PlainFrom = 1e-6;
    private const double PlainBelow = 1e21;

    public static void WriteFloat(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteFloat(value);
    }

    public static void WriteFloat(this Utf8JsonWriter json, double value) =>
        json.WriteRawValue(Text(value), skipInputValidation: true);

    private static string Text(double value)
    {
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        if (!shortest.Contains('E'))
        {
            return shortest;
        }

        var size = Math.Abs(value);
        if (size is >= PlainFrom and < PlainBelow)
        {
            return ((decimal)value).ToString("0.#############################", CultureInfo.InvariantCulture);
        }

        // Go has e-7 where .NET has E-07.
        var mark = shortest.IndexOf('E');
        var exponent = int.Parse(shortest[(mark + 1)..], CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture, $"{shortest[..mark]}e{(exponent < 0 ? "" : "+")}{exponent}");
    }
}
