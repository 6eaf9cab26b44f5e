using System.Globalization;

namespace Praetor.Server.Queries;

/// <summary>An answer to a query, encoded once and shared by all who asked for it.</summary>
/// <param name="Index">The index to wait behind for the next one.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type of the body.</param>
/// <param name="Body">The bytes. Must not be changed.</param>
public sealed record QueryAnswer(ulong Index, int Status, string ContentType, byte[] Body)
{
    /// <summary>The index as it stands in a header, made once for all.</summary>
    public string IndexText { get; } = Index.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether the question itself was wrong, so that waiting would change nothing.</summary>
    public bool IsRefusal => Status >= 400 && Status != 404;

    /// <summary>Whether two answers show the same, whatever their indexes.</summary>
    public bool ShowsTheSameAs(QueryAnswer other) =>
        Status == other.Status && Body.AsSpan().SequenceEqual(other.Body);
}
