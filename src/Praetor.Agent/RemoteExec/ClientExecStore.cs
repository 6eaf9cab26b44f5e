using Praetor.Client;

namespace Praetor.Agent.RemoteExec;

/// <summary>The keys by this agent's own API, with the token that the agent uses by itself.</summary>
internal sealed class ClientExecStore(string address, Func<string> token, TimeProvider time) : IExecStore
{
    public async Task<byte[]?> ReadAsync(string key, bool stale, CancellationToken stop)
    {
        using var client = Connect();
        return (await client.GetKeyAsync(key, new QueryOptions { Stale = stale }, stop)).Value?.Value;
    }

    public async Task<bool> WriteAsync(
        string key, ReadOnlyMemory<byte> value, string session, CancellationToken stop)
    {
        using var client = Connect();
        return await client.PutKeyAsync(key, value, new KvWrite { Acquire = session }, stop: stop);
    }

    // The token may be changed while the agent runs.
    private PraetorClient Connect() => new(
        new ClientOptions { Address = address, Token = token() is { Length: > 0 } secret ? secret : null }, time);
}
