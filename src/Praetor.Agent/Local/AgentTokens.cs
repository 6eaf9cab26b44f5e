using System.Collections.Immutable;

namespace Praetor.Agent.Local;

/// <summary>The tokens that the agent uses by itself. Never shown or logged.</summary>
public sealed class AgentTokens
{
    // The names that clients use, old and new, for the same token.
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["default"] = "default",
        ["acl_token"] = "default",
        ["agent"] = "agent",
        ["acl_agent_token"] = "agent",
        ["agent_recovery"] = "agent_recovery",
        ["agent_master"] = "agent_recovery",
        ["acl_agent_master_token"] = "agent_recovery",
        ["replication"] = "replication",
        ["acl_replication_token"] = "replication",
        ["config_file_service_registration"] = "config_file_service_registration",
        ["dns"] = "dns",
    };

    private readonly LocalDatabase? _database;
    private ImmutableDictionary<string, string> _tokens;

    internal AgentTokens(LocalDatabase? database, IReadOnlyDictionary<string, string> kept)
    {
        _database = database;
        _tokens = kept.ToImmutableDictionary(StringComparer.Ordinal);
    }

    /// <summary>The token of a purpose. Empty: none.</summary>
    public string this[string purpose] => Volatile.Read(ref _tokens).GetValueOrDefault(purpose, "");

    /// <summary>What a name of the API stands for. Null: it is not known.</summary>
    public static string? PurposeOf(string name) => Names.GetValueOrDefault(name);

    /// <summary>Sets a token, for good; an empty one takes it away.</summary>
    /// <param name="survives">Whether it is written down (<c>acl.enable_token_persistence</c>).</param>
    public Task SetAsync(string purpose, string token, bool survives)
    {
        ImmutableInterlocked.Update(
            ref _tokens, static (all, item) => all.SetItem(item.purpose, item.token), (purpose, token));
        return survives && _database is not null
            ? _database.CommitAsync([new DocumentChange(
                LocalDocuments.TokenKind, purpose, token.Length > 0 ? () => LocalDocuments.Encode(token) : null)])
            : Task.CompletedTask;
    }
}
