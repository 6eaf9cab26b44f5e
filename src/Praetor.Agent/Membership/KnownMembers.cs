using System.Net;
using System.Text;
using Gossip.Serf;
using Praetor.Agent.Local;

namespace Praetor.Agent.Membership;

/// <summary>Remembers on disk who was there, so that an agent that is started again finds its way back by
/// itself.</summary>
/// <remarks>
/// A file of lines <c>ADDRESS NAME</c>; the first line <c>left</c> says that the agent left of its own will. Losing it
/// costs nothing but that, so it is written after changes and not brought to disk with force.
/// </remarks>
/// <param name="path">The file. Null: nothing is kept.</param>
/// <param name="snapshot">Consul's file of the same, read as long as there is none of ours. Null: none.</param>
internal sealed class KnownMembers(string? path, string? snapshot = null)
{
    /// <summary>Enough to find the way back by.</summary>
    private const int MembersMax = 64;

    private const string LeftMark = "left";

    /// <summary>Who was there. Empty: nobody, or the agent left and does not want to go back by itself.</summary>
    public IReadOnlyList<IPEndPoint> Read(bool evenIfLeft)
    {
        try
        {
            if (path is null || !File.Exists(path))
            {
                return path is null || !File.Exists(snapshot) ? []
                    : [.. SerfSnapshot.Read(File.ReadLines(snapshot), evenIfLeft).Take(MembersMax)];
            }

            var lines = File.ReadLines(path).Take(MembersMax + 1).ToList();
            return lines is [LeftMark, ..] && !evenIfLeft
                ? []
                : [.. lines.Select(static line => line.Split(' ')[0]).Where(static text => text != LeftMark)
                    .Select(static text => IPEndPoint.TryParse(text, out var at) ? at : null).OfType<IPEndPoint>()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Notes who is there now.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(IEnumerable<SerfMember> members, string self, bool hasLeft)
    {
        if (path is null)
        {
            return;
        }

        var others = members.Where(member => member.Name != self
                && member.Status is SerfStatus.Alive or SerfStatus.Failed && !member.Name.Contains('\n'))
            .OrderBy(static member => member.Status).Take(MembersMax).ToList();
        if (others.Count == 0 && !hasLeft)
        {
            // Who knows nobody has learned nothing that is worth forgetting the way back for.
            return;
        }

        var text = new StringBuilder(hasLeft ? LeftMark + "\n" : "");
        foreach (var member in others)
        {
            text.Append(member.Address).Append(' ').Append(member.Name).Append('\n');
        }

        DurableFile.CreateFolder(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.ToString());
    }
}
