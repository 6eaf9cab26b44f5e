using System.Text;
using Gossip.Serf.Wire;

namespace Gossip.Serf;

// Queries that members answer by themselves: who has a name, and which keys the pool has.
public sealed partial class SerfCore
{
    private const string NoKeyring = "No keyring to modify (encryption not enabled)";

    /// <summary>Answers that a list of keys has room for; a long list is cut, as serf does it.</summary>
    private const int ListedKeysMax = 25;

    private void AnswerInternal(ReceivedQuery query)
    {
        switch (query.Name)
        {
            case InternalQueries.Conflict:
                AnswerConflict(query);
                break;
            case InternalQueries.InstallKey:
                Change(query, static (keyring, key) => keyring.Install(key));
                break;
            case InternalQueries.UseKey:
                Change(query, static (keyring, key) => keyring.Use(key));
                break;
            case InternalQueries.RemoveKey:
                Change(query, static (keyring, key) => keyring.Remove(key));
                break;
            case InternalQueries.ListKeys:
                ListKeys(query);
                break;
        }
    }

    /// <summary>Says whom this member knows under a name that two claim.</summary>
    private void AnswerConflict(ReceivedQuery query)
    {
        var name = Encoding.UTF8.GetString(query.Payload.Span);
        if (name != Name && _members.TryGetValue(name, out var entry))
        {
            var member = entry.Member;
            TryAnswer(query, SerfCodec.Encode(new ConflictResponse(new SerfMemberInfo(
                name, member.Address, Decoded(member.Meta), (byte)entry.Status, member.Versions))));
        }
    }

    private void Change(ReceivedQuery query, Func<ISerfKeyring, ReadOnlySpan<byte>, string?> change)
    {
        if (!SerfCodec.TryDecode(query.Payload.Span, out var message) || message is not KeyRequest request)
        {
            Answer(query, new KeyResponse(false, "the request cannot be read", [], ""));
            return;
        }

        var problem = _keyring is { Keys.Count: > 0 } ? change(_keyring, request.Key.Span) : NoKeyring;
        Answer(query, new KeyResponse(problem is null, problem ?? "", [], ""));
    }

    private void ListKeys(ReceivedQuery query)
    {
        if (_keyring is not { Keys.Count: > 0 } keyring)
        {
            Answer(query, new KeyResponse(false, "Keyring is empty (encryption not enabled)", [], ""));
            return;
        }

        var listed = keyring.Keys.Take(ListedKeysMax).ToList();
        var message = listed.Count < keyring.Keys.Count
            ? $"truncated key list response, showing first {listed.Count} of {keyring.Keys.Count} keys"
            : "";
        Answer(query, new KeyResponse(true, message, listed, keyring.Keys[0]));
    }

    private void Answer(ReceivedQuery query, KeyResponse response) => TryAnswer(query, SerfCodec.Encode(response));
}
