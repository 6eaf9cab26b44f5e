using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Languages;
using Microsoft.Extensions.Logging;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Events;

/// <summary>What <see cref="UserEvents"/> needs to know of its agent.</summary>
/// <param name="NodeName">This node; filters name it.</param>
/// <param name="Services">The instances on it.</param>
/// <param name="Broadcaster">Brings events to all agents.</param>
internal sealed record UserEventSurroundings(
    string NodeName, Func<IEnumerable<ServiceRecord>> Services, IEventBroadcaster Broadcaster);

/// <summary>The events that came to this agent: the last of them for readers, word for those who wait.</summary>
/// <remarks>
/// Gossip brings an event to every agent, and each looks itself whether it is meant. Nothing is stored: an agent that
/// starts later has missed it.
/// </remarks>
internal sealed partial class UserEvents(UserEventSurroundings around, ILogger log)
{
    /// <summary>How many are kept.</summary>
    public const int KeptMax = 256;

    /// <summary>How long serf's message may be, all in all: it has to fit into one packet with others.</summary>
    public const int FrameBytesMax = 512;

    /// <summary>What stands before an event's name on the wire.</summary>
    public const string WirePrefix = "consul:event:";

    /// <summary>The event that asks agents to run a command; it is not for readers.</summary>
    public const string RemoteExecName = "_rexec";

    private readonly Lock _gate = new();
    private ImmutableQueue<UserEvent> _kept = [];
    private int _count;
    private IReadOnlyList<UserEvent> _recent = [];
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Told, on gossip's thread, of each <see cref="RemoteExecName"/> for this agent.</summary>
    public event Action<UserEvent>? RemoteExecAsked;

    /// <summary>The last ones, the oldest first.</summary>
    public IReadOnlyList<UserEvent> Recent => Volatile.Read(ref _recent);

    /// <summary>Ends with the next event. Take it before looking at <see cref="Recent"/>.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Fires an event.</summary>
    /// <param name="wanted">What; its id and version are set here.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The event as it went out.</returns>
    public async Task<Outcome<UserEvent>> FireAsync(UserEvent wanted, CancellationToken stop)
    {
        if (Problem(wanted) is { } problem)
        {
            return Refusal.Failed(problem);
        }

        var fired = wanted with { Id = Guid.NewGuid().ToString(), Version = UserEvent.CurrentVersion };
        var name = WirePrefix + fired.Name;
        var payload = UserEventCodec.Encode(fired);
        if (UserEventCodec.FrameBytes(Encoding.UTF8.GetByteCount(name), payload.Length) > FrameBytesMax)
        {
            return new Refusal(
                413, $"user event exceeds configured limit of {FrameBytesMax} bytes, name, filters and frame included");
        }

        return await around.Broadcaster.BroadcastAsync(name, payload, stop) is { } why
            ? Refusal.Failed(why)
            : fired;
    }

    /// <summary>Takes an event that came by gossip. Never throws, whatever it holds.</summary>
    /// <inheritdoc cref="EventReceiver"/>
    public bool Deliver(string name, ReadOnlySpan<byte> payload, ulong lamportTime)
    {
        if (!name.StartsWith(WirePrefix, StringComparison.Ordinal))
        {
            return false;
        }

        if (UserEventCodec.Decode(payload, lamportTime) is not { } came)
        {
            Log.Undecodable(log, name, payload.Length);
            return false;
        }

        if (!IsMeant(came))
        {
            return false;
        }

        if (came.Name == RemoteExecName)
        {
            RemoteExecAsked?.Invoke(came);
            return true;
        }

        Log.Came(log, came.Name, came.Id);
        Keep(came);
        return true;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static string? Problem(UserEvent wanted)
    {
        if (wanted.Name.Length == 0)
        {
            return "User event missing name";
        }

        if (wanted.TagFilter.Length > 0 && wanted.ServiceFilter.Length == 0)
        {
            return "Cannot provide tag filter without service filter";
        }

        foreach (var (what, filter) in (ReadOnlySpan<(string, string)>)
            [("node", wanted.NodeFilter), ("service", wanted.ServiceFilter), ("tag", wanted.TagFilter)])
        {
            if (!GoRegex.TryCreate(filter, out _, out var problem))
            {
                return $"Invalid {what} filter: {problem}";
            }
        }

        return null;
    }

    private void Keep(UserEvent came)
    {
        TaskCompletionSource told;
        lock (_gate)
        {
            _kept = _kept.Enqueue(came);
            _kept = ++_count > KeptMax ? _kept.Dequeue() : _kept;
            _count = Math.Min(_count, KeptMax);
            Volatile.Write(ref _recent, [.. _kept]);
            told = _next;
            Volatile.Write(ref _next, NewSignal());
        }

        told.SetResult();
    }

    private bool IsMeant(UserEvent came)
    {
        if (came.Version > UserEvent.CurrentVersion)
        {
            Log.Newer(log, came.Name, came.Version);
        }

        if (!TryMatcher(came, "node", came.NodeFilter, out var node)
            || !TryMatcher(came, "service", came.ServiceFilter, out var service)
            || !TryMatcher(came, "tag", came.TagFilter, out var tag))
        {
            return false;
        }

        return node(around.NodeName)
            && (came.ServiceFilter.Length == 0 || around.Services().Any(s => service(s.Id)
                && (came.TagFilter.Length == 0 || (s.Tags ?? []).Any(tag))));
    }

    private bool TryMatcher(UserEvent came, string what, string filter, out Func<string, bool> matches)
    {
        matches = static _ => true;
        if (filter.Length == 0)
        {
            return true;
        }

        if (!GoRegex.TryCreate(filter, out var regex, out var problem))
        {
            Log.BadFilter(log, came.Name, what, problem);
            return false;
        }

        matches = text => IsMatch(regex!, text);
        return true;
    }

    // Whoever fires an event chooses the expression: one that takes too long matches nobody.
    private static bool IsMatch(Regex regex, string text)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "new event: event_name={Name} event_id={Id}")]
        public static partial void Came(ILogger log, string name, string id);

        [LoggerMessage(2, LogLevel.Error, "an event cannot be decoded: event_name={Name} bytes={Bytes}")]
        public static partial void Undecodable(ILogger log, string name, int bytes);

        [LoggerMessage(3, LogLevel.Warning,
            "an event of a newer version may ask for what is not known here: event_name={Name} version={Version}")]
        public static partial void Newer(ILogger log, string name, int version);

        [LoggerMessage(4, LogLevel.Error, "an event's filter cannot be read: event_name={Name} filter={What}: {Why}")]
        public static partial void BadFilter(ILogger log, string name, string what, string why);
    }
}
