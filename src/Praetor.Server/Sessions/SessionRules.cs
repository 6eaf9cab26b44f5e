using Languages;
using Praetor.Server.Model;

namespace Praetor.Server.Sessions;

/// <summary>What a session may ask for; the texts are Consul's.</summary>
public static class SessionRules
{
    /// <summary>The shortest TTL, unless the configuration says otherwise.</summary>
    public static readonly TimeSpan TtlMin = TimeSpan.FromSeconds(10);

    /// <summary>The longest TTL.</summary>
    public static readonly TimeSpan TtlMax = TimeSpan.FromHours(24);

    /// <summary>The longest lock delay that counts, whatever was asked for: 60 s.</summary>
    public const long LockDelayMax = 60L * 1_000_000_000;

    /// <summary>A session lives so many TTLs without being renewed.</summary>
    /// <remarks>Consul's factor. Clients reckon with it: patroni asks for half of the time that it wants.</remarks>
    public const int TtlGrace = 2;

    /// <summary>What is wrong with a session. Null: nothing.</summary>
    public static string? Problem(SessionRecord session, TimeSpan ttlMin)
    {
        if (session.Node.Length == 0)
        {
            return "Must provide Node";
        }

        if (session.Behavior is not (SessionRecord.Release or SessionRecord.Delete))
        {
            return $"Invalid Behavior setting '{session.Behavior}'";
        }

        if (session.Ttl.Length == 0)
        {
            return null;
        }

        if (!GoDuration.TryParseNanoseconds(session.Ttl, out var ttl))
        {
            return $"Session TTL '{session.Ttl}' invalid: {GoDuration.Explain(session.Ttl)}";
        }

        return ttl != 0 && (ttl < GoDuration.ToNanoseconds(ttlMin) || ttl > GoDuration.ToNanoseconds(TtlMax))
            ? $"Invalid Session TTL '{ttl}', must be between "
                + $"[{GoDuration.Format(ttlMin)}={GoDuration.Format(TtlMax)}]"
            : null;
    }

    /// <summary>For how long a session lives without being renewed. Null: for ever.</summary>
    internal static TimeSpan? LifeOf(SessionRecord session) =>
        GoDuration.TryParse(session.Ttl, out var ttl) && ttl > TimeSpan.Zero ? ttl * TtlGrace : null;
}
