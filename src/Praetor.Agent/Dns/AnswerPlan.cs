using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>Records that are kept together when the order of answers is drawn: one instance's.</summary>
internal sealed class AnswerGroup(DnsResource[] answers, DnsResource[] extras)
{
    public DnsResource[] Answers { get; } = answers;

    /// <summary>Records for the additional section: addresses and metadata of the answer's target.</summary>
    public DnsResource[] Extras { get; } = extras;

    /// <summary>What of <see cref="Extras"/> is kept when the answer has to be cut: the target's first record,
    /// followed through CNAMEs.</summary>
    public DnsResource[] KeyExtras { get; } = Essential(answers, extras);

    /// <summary>Equal for groups with an equal target, counted from 0 within the plan; -1 without one.</summary>
    public int TargetNumber { get; set; } = -1;

    private static DnsResource[] Essential(DnsResource[] answers, DnsResource[] extras)
    {
        byte[]? wanted = answers is [{ Type: DnsType.Srv } srv, ..] ? srv.Target : null;
        var kept = new List<DnsResource>();
        while (wanted is not null && kept.Count < extras.Length)
        {
            byte[] name = wanted;
            var found = Array.Find(extras, e => e.Owner is not null && DnsName.EqualsIgnoreCase(e.Owner, name));
            if (found is null || kept.Contains(found))
            {
                break;
            }
            kept.Add(found);
            wanted = found.Type == DnsType.Cname ? found.Target : null;
        }
        return [.. kept];
    }
}

/// <summary>
/// Everything about an answer that does not change from one asking to the next. What changes (id, the question's
/// letters, order, size) is the encoder's. A plan belongs to one thread: the encoder reorders its groups.
/// </summary>
internal sealed class AnswerPlan
{
    public DnsResponseCode Code { get; init; }

    public AnswerGroup[] Groups { get; init; } = [];

    public DnsResource[] Authority { get; init; } = [];

    /// <summary>Records for the additional section whatever answers are chosen.</summary>
    public DnsResource[] Additional { get; init; } = [];

    /// <summary>Whether order and number of answers follow the rules for services.</summary>
    public bool IsService { get; init; }

    /// <summary>How many groups one answer shows.</summary>
    public int GroupsMax { get; init; } = int.MaxValue;

    /// <summary>Names outside the domain that must be asked of a recursor before this plan is complete.</summary>
    public IReadOnlyCollection<string> Unresolved { get; init; } = [];

    /// <summary>The service whose version guards this plan; null when only the catalog's version does.</summary>
    public string? Service { get; init; }

    /// <summary>Whether the same plan may serve the next asking.</summary>
    public bool IsReusable { get; init; }

    /// <summary>Records in the answer section when all groups are shown.</summary>
    public int AnswerCount { get; private set; }

    /// <summary>How many different targets the groups have.</summary>
    public int TargetCount { get; private set; }

    public ulong CatalogVersion { get; set; }

    public ulong ServiceVersion { get; set; }

    /// <summary>Counts answers and numbers targets; to be called once, by who built the plan.</summary>
    public AnswerPlan Finish()
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (AnswerGroup group in Groups)
        {
            AnswerCount += group.Answers.Length;
            if (group.KeyExtras.Length == 0 || group.Answers[0].Target is not { } target)
            {
                continue;
            }
            string name = DnsName.Decode(target).ToLowerInvariant();
            if (!numbers.TryGetValue(name, out int number))
            {
                number = numbers.Count;
                numbers.Add(name, number);
            }
            group.TargetNumber = number;
        }
        TargetCount = numbers.Count;
        return this;
    }
}
