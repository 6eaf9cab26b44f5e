using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>A question to servers whose answer is kept.</summary>
/// <param name="Datacenter">Whose servers are asked.</param>
/// <param name="Target">Path and parameters of a read that can block.</param>
/// <param name="Token">The secret it is authorized by. Must never be logged.</param>
/// <param name="IsOwn">Whether the agent asks for itself.</param>
internal sealed record WatchKey(string Datacenter, string Target, string Token = "", bool IsOwn = true)
{
    /// <summary>The call that asks.</summary>
    /// <param name="index">The index that is had already. 0: none.</param>
    /// <param name="wait">How long to wait for a newer one.</param>
    /// <param name="hold">How long to look for a server. Null: as long as usual.</param>
    public ServerCall Call(ulong index, TimeSpan wait, TimeSpan? hold)
    {
        var target = index == 0 ? Target
            : $"{Target}{(Target.Contains('?') ? '&' : '?')}index={index}&wait={(long)wait.TotalMilliseconds}ms";
        return new ServerCall
        {
            Method = "GET",
            Target = target,
            Datacenter = Datacenter,
            Token = Token,
            IsOwn = IsOwn,
            IsRepeatable = true,
            Wait = index == 0 ? TimeSpan.Zero : wait,
            IsWatch = true,
            Hold = hold,
        };
    }

    /// <summary>Never shows the token.</summary>
    public override string ToString() => $"{Target} in {Datacenter}";
}

/// <summary>An answer that is kept.</summary>
internal sealed class WatchedReply(ServerReply reply, ulong index)
{
    private object? _decoded;

    public ServerReply Reply => reply;

    /// <summary>The index to wait behind here; it rises with each answer, whatever the servers' own does.</summary>
    public ulong Index => index;

    /// <summary>The answer in another form; made once, and only one form of it.</summary>
    public T As<T>(Func<byte[], T> decode)
        where T : class => (T)(_decoded ??= decode(reply.Body));
}

/// <summary>What a question came to.</summary>
/// <param name="Reply">The answer, be it one from before the servers were lost. Null: see the refusal.</param>
/// <param name="IsHit">Whether it was there already.</param>
/// <param name="Age">How long ago a server said that it holds. Zero: just now, or it is being watched.</param>
/// <param name="Refusal">Why there is none.</param>
internal readonly record struct WatchOutcome(WatchedReply? Reply, bool IsHit, TimeSpan Age, Refusal? Refusal);
