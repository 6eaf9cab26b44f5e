using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Support.Consistency;

namespace Integration.Faults;

/// <summary>A client of one server's HTTP API that makes each call once, on a connection of its own.</summary>
/// <remarks>.NET's client sends a request again when a connection that was kept turns out to be closed, which nobody
/// would see in a history; on a new connection it does not.</remarks>
internal sealed class HttpStoreClient : IStoreClient, IDisposable
{
    private const string NoLeader = "No cluster leader";

    private readonly HttpClient _http;
    private readonly Func<Workload> _workload;

    /// <param name="socket">Where the API listens.</param>
    /// <param name="workload">Knows the accounts and the sessions.</param>
    /// <param name="limit">How long a call may take.</param>
    public HttpStoreClient(string socket, Func<Workload> workload, TimeSpan limit)
    {
        _workload = workload;
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (_, stop) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        })
        {
            BaseAddress = new Uri("http://localhost"),
            Timeout = limit,
        };
    }

    public async Task<KvOutput?> KvAsync(KvInput input)
    {
        var path = $"/v1/kv/{input.Key}";
        var condition = $"?cas={input.Index.ToString(CultureInfo.InvariantCulture)}";
        switch (input.Verb)
        {
            case KvVerb.Get:
                var found = await ReadAsync($"{path}?{input.Mode}");
                return found is [var one, ..] ? new KvOutput(true, one.Value, one.ModifyIndex) : new KvOutput(true);
            case KvVerb.Put:
                return Told(await AskAsync(HttpMethod.Put, path, input.Value!));
            case KvVerb.Cas:
                return Told(await AskAsync(HttpMethod.Put, path + condition, input.Value!));
            case KvVerb.Delete:
                return Told(await AskAsync(HttpMethod.Delete, path, null));
            default:
                return Told(await AskAsync(HttpMethod.Delete, path + condition, null));
        }
    }

    public async Task<TransferOutput?> TransferAsync(TransferInput input)
    {
        if (input.IsList)
        {
            var prefix = _workload().Account(0)[..^1];
            return Done(await ReadAsync($"/v1/kv/{prefix}?recurse&{input.Mode}"));
        }

        var steps = string.Join(',', input.Steps.Select(s =>
            $$$"""
            {"KV":{"Verb":"{{{s.Verb}}}","Key":"{{{_workload().Account(s.Account)}}}",
            "Value":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(s.Value ?? ""))}}}","Index":{{{s.Index}}}}}
            """));
        var isRead = input.Steps.All(static s => s.Verb == "get");
        var answer = await AskAsync(HttpMethod.Put, "/v1/txn", $"[{steps}]");
        if (answer is not { Status: HttpStatusCode.OK or HttpStatusCode.Conflict } told)
        {
            return isRead ? throw new NotDoneException() : null;
        }

        return told.Status == HttpStatusCode.Conflict ? TransferOutput.RolledBack
            : isRead ? Done(Pairs(told.Body, inResults: true)) : new TransferOutput(true, [], []);
    }

    public async Task<LockOutput?> LockAsync(LockInput input, string session)
    {
        if (input.Verb == LockVerb.Read)
        {
            var found = await ReadAsync($"/v1/kv/{input.Lock}?consistent");
            return found is [var one, ..]
                ? new LockOutput(true, _workload().SessionOf(one.Session), one.LockIndex) : new LockOutput(true);
        }

        var path = input.Verb switch
        {
            LockVerb.Acquire => $"/v1/kv/{input.Lock}?acquire={session}",
            LockVerb.Release => $"/v1/kv/{input.Lock}?release={session}",
            _ => $"/v1/session/destroy/{session}",
        };
        var answer = await AskAsync(HttpMethod.Put, path, "x");
        return Told(answer) is { } told ? new LockOutput(told.IsDone)
            : answer is { } refused && refused.Body.Contains("invalid session", StringComparison.Ordinal)
                ? new LockOutput(false, IsInvalid: true) : null;
    }

    public async Task<string?> CreateSessionAsync()
    {
        try
        {
            var answer = await AskAsync(
                HttpMethod.Put, "/v1/session/create", """{"LockDelay":"0s","Checks":[],"NodeChecks":[]}""");
            return answer is { Status: HttpStatusCode.OK } made
                ? JsonDocument.Parse(made.Body).RootElement.GetProperty("ID").GetString() : null;
        }
        catch (NotDoneException)
        {
            return null;
        }
    }

    /// <summary>Puts a key.</summary>
    /// <returns>Whether that was acknowledged.</returns>
    public async Task<bool> PutAsync(string key, string value)
    {
        try
        {
            return await KvAsync(new KvInput(KvVerb.Put, key, value)) is { IsDone: true };
        }
        catch (NotDoneException)
        {
            return false;
        }
    }

    /// <summary>All keys that begin alike, with their values.</summary>
    /// <exception cref="NotDoneException">No server answers.</exception>
    public async Task<IReadOnlyDictionary<string, string>> ListAsync(string prefix) =>
        (await ReadAsync($"/v1/kv/{prefix}?recurse&consistent"))
            .ToDictionary(static p => p.Key, static p => p.Value, StringComparer.Ordinal);

    /// <summary>What an endpoint says. Null: it does not answer.</summary>
    public async Task<string?> GetAsync(string path)
    {
        try
        {
            return await AskAsync(HttpMethod.Get, path, null) is { Status: HttpStatusCode.OK } told ? told.Body : null;
        }
        catch (NotDoneException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private static KvOutput? Told((HttpStatusCode Status, string Body)? answer) =>
        answer is not { Status: HttpStatusCode.OK } told ? null : new KvOutput(told.Body.Trim() == "true");

    private static TransferOutput Done(IReadOnlyList<Pair> pairs) => pairs.Count == 0
        ? throw new NotDoneException()
        : new TransferOutput(
            true, [.. pairs.Select(static p => p.Value)], [.. pairs.Select(static p => p.ModifyIndex)]);

    private static List<Pair> Pairs(string body, bool inResults)
    {
        using var document = JsonDocument.Parse(body);
        var list = inResults ? document.RootElement.GetProperty("Results") : document.RootElement;
        return [.. list.EnumerateArray().Select(e => inResults ? e.GetProperty("KV") : e).Select(static e => new Pair(
            e.GetProperty("Key").GetString()!,
            Encoding.UTF8.GetString(e.GetProperty("Value") is { ValueKind: JsonValueKind.String } v
                ? v.GetBytesFromBase64() : []),
            e.GetProperty("ModifyIndex").GetUInt64(),
            e.GetProperty("LockIndex").GetUInt64(),
            e.TryGetProperty("Session", out var session) ? session.GetString()! : ""))];
    }

    // Reads that fail have done nothing.
    private async Task<List<Pair>> ReadAsync(string path)
    {
        var answer = await AskAsync(HttpMethod.Get, path.TrimEnd('?', '&'), null);
        return answer switch
        {
            { Status: HttpStatusCode.OK } told => Pairs(told.Body, inResults: false),
            { Status: HttpStatusCode.NotFound } => [],
            _ => throw new NotDoneException(),
        };
    }

    // Null: nobody knows what became of it.
    private async Task<(HttpStatusCode Status, string Body)?> AskAsync(HttpMethod method, string path, string? body)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative))
            {
                Content = body is null ? null : new StringContent(body),
            };
            using var answer = await _http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            return answer.StatusCode == HttpStatusCode.InternalServerError && text.Trim() == NoLeader
                ? throw new NotDoneException() : (answer.StatusCode, text);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            throw new NotDoneException();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private sealed record Pair(string Key, string Value, ulong ModifyIndex, ulong LockIndex, string Session);
}
