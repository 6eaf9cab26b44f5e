using System.Globalization;
using Praetor.Agent.Http;

namespace Praetor.Agent.Forwarding;

/// <summary>Answers <c>?cached</c> reads of a client agent from what is kept.</summary>
internal sealed class CachedReads(WatchCache cache, WaitLimits waits, Random random)
{
    // What Consul's agents cache; elsewhere the word is ignored.
    private static readonly string[] Cached =
    [
        "/v1/health/service/", "/v1/health/connect/", "/v1/health/ingress/", "/v1/catalog/service/",
        "/v1/catalog/connect/", "/v1/catalog/services", "/v1/discovery-chain/",
    ];

    /// <summary>Whether a request is to be answered from here.</summary>
    public static bool Takes(ApiRequest request) => request.Method == "GET" && request.Query.Has("cached")
        && !request.Query.Has("consistent")
        && Cached.Any(path => request.Path.StartsWith(path, StringComparison.Ordinal));

    /// <summary>The answer. Null: it has to be asked for.</summary>
    public async ValueTask<Reply?> AnswerAsync(ApiRequest request, string target, string token, string datacenter)
    {
        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        var key = new WatchKey(datacenter, Bare(target), token, IsOwn: false);
        var outcome = options.Index == 0
            ? await cache.GetAsync(key, request.Aborted)
            : await cache.WaitAsync(key, options.Index, waits.Of(options.Wait, random), request.Aborted);
        if (outcome.Reply is not { } kept || outcome.Age > AgeMax(request))
        {
            return null;
        }

        var reply = new Reply(kept.Reply.Status, kept.Reply.ContentType, kept.Reply.Body)
            .With("X-Consul-Index", kept.Index.ToString(CultureInfo.InvariantCulture))
            .With("X-Consul-KnownLeader", outcome.Age > TimeSpan.Zero ? "false" : "true")
            .With("X-Consul-LastContact", Milliseconds(outcome.Age))
            .With("X-Consul-Effective-Consistency", "stale")
            .With("X-Consul-Query-Backend", "blocking-query")
            .With("X-Cache", outcome.IsHit ? "HIT" : "MISS");
        return !outcome.IsHit ? reply
            : reply.With("Age", ((long)outcome.Age.TotalSeconds).ToString(CultureInfo.InvariantCulture));
    }

    private static string Milliseconds(TimeSpan time) =>
        ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    // How the asker waits is not part of the question.
    private static string Bare(string target)
    {
        var question = target.IndexOf('?');
        if (question < 0)
        {
            return target;
        }

        var kept = target[(question + 1)..].Split('&').Where(static part =>
            part.Split('=')[0] is not ("index" or "wait" or "cached" or "stale" or "token"));
        return string.Join('?', new[] { target[..question], string.Join('&', kept) }.Where(static p => p.Length > 0));
    }

    private static TimeSpan AgeMax(ApiRequest request)
    {
        const string Name = "max-age=";
        foreach (var part in request.CacheControl.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith(Name, StringComparison.OrdinalIgnoreCase)
                && int.TryParse(part[Name.Length..], CultureInfo.InvariantCulture, out var seconds) && seconds >= 0)
            {
                return TimeSpan.FromSeconds(seconds);
            }
        }

        return TimeSpan.MaxValue;
    }
}
