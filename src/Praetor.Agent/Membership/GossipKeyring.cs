using Gossip;
using Gossip.Pool;
using Gossip.Serf;
using Gossip.Serf.Wire;

namespace Praetor.Agent.Membership;

/// <summary>Changes and lists the keys of all members by queries of both pools.</summary>
internal sealed class GossipKeyring(GossipMembership membership, string datacenter) : IKeyringOperations
{
    public Task<IReadOnlyList<KeyringReply>> ListAsync(KeyringScope scope, CancellationToken stop) =>
        AskAsync(InternalQueries.ListKeys, key: null, scope, stop);

    public Task<IReadOnlyList<KeyringReply>> InstallAsync(string key, KeyringScope scope, CancellationToken stop) =>
        AskAsync(InternalQueries.InstallKey, key, scope, stop);

    public Task<IReadOnlyList<KeyringReply>> UseAsync(string key, KeyringScope scope, CancellationToken stop) =>
        AskAsync(InternalQueries.UseKey, key, scope, stop);

    public Task<IReadOnlyList<KeyringReply>> RemoveAsync(string key, KeyringScope scope, CancellationToken stop) =>
        AskAsync(InternalQueries.RemoveKey, key, scope, stop);

    private async Task<IReadOnlyList<KeyringReply>> AskAsync(
        string query, string? key, KeyringScope scope, CancellationToken stop)
    {
        var replies = new List<KeyringReply>();
        if (!scope.IsLocalOnly && membership.Pool(wan: true) is { } wan)
        {
            replies.Add(await AskAsync(wan, isWan: true, query, key, scope, stop));
        }

        replies.Add(await AskAsync(membership.Pool(wan: false)!, isWan: false, query, key, scope, stop));
        return replies;
    }

    private async Task<KeyringReply> AskAsync(
        GossipPool pool, bool isWan, string query, string? key, KeyringScope scope, CancellationToken stop)
    {
        ReadOnlyMemory<byte> payload = default;
        if (key is not null)
        {
            if (!GossipKey.TryParse(key, out var parsed, out var wrong))
            {
                return Failed(isWan, wrong);
            }

            payload = SerfCodec.Encode(new KeyRequest(parsed.Bytes.ToArray()));
        }

        var asked = pool.Members().Count(static member => member.Status is SerfStatus.Alive);
        var answers = new Answers(asked);
        var request = new QueryRequest(query, payload) { RelayFactor = (byte)scope.RelayFactor };
        if (pool.Ask(request, answers) is { } refused)
        {
            return Failed(isWan, refused);
        }

        await answers.Done.WaitAsync(stop);
        return answers.Reply(isWan, datacenter);
    }

    private KeyringReply Failed(bool isWan, string why) =>
        new() { IsWan = isWan, Datacenter = datacenter, Error = why };

    /// <summary>Gathers what members answer; ends when all did, or their time is over.</summary>
    private sealed class Answers(int asked) : IQueryListener
    {
        private readonly Dictionary<string, string> _problems = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _keys = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int> _primary = new(StringComparer.Ordinal);
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _heard;
        private int _failed;

        public Task Done => _done.Task;

        public void Acked(string from)
        {
        }

        public void Answered(string from, ReadOnlyMemory<byte> payload)
        {
            _heard++;
            if (!SerfCodec.TryDecode(payload.Span, out var message) || message is not KeyResponse answer)
            {
                Fail(from, "Failed to decode key query response");
            }
            else if (!answer.Result)
            {
                Fail(from, answer.Message);
            }
            else
            {
                Take(from, answer);
            }

            if (_heard >= asked)
            {
                _done.TrySetResult();
            }
        }

        public void Ended() => _done.TrySetResult();

        public KeyringReply Reply(bool isWan, string datacenter) => new()
        {
            IsWan = isWan,
            Datacenter = datacenter,
            Messages = _problems.Count > 0 ? _problems : null,
            Keys = _keys,
            PrimaryKeys = _primary,
            Members = asked,
            Error = _failed > 0 ? $"{_failed}/{asked} nodes reported failure"
                : _heard < asked ? $"{_heard}/{asked} nodes reported success" : "",
        };

        private void Take(string from, KeyResponse answer)
        {
            if (answer.Message.Length > 0)
            {
                _problems[from] = answer.Message;
            }

            foreach (var key in answer.Keys)
            {
                _keys[key] = _keys.GetValueOrDefault(key) + 1;
            }

            if (answer.PrimaryKey.Length > 0)
            {
                _primary[answer.PrimaryKey] = _primary.GetValueOrDefault(answer.PrimaryKey) + 1;
            }
        }

        private void Fail(string from, string why)
        {
            _failed++;
            _problems[from] = why;
        }
    }
}
