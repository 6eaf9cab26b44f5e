using System.Net;
using System.Text;
using Support;

namespace Integration.Cluster;

/// <summary>Keys of an agent, in one line each.</summary>
internal static class AgentKeys
{
    /// <summary>Sets a key; gives the status.</summary>
    public static async Task<HttpStatusCode> PutAsync(
        this AgentProcess agent, string key, string value, CancellationToken stop)
    {
        using var body = new StringContent(value, Encoding.UTF8);
        using var answer = await agent.Http.PutAsync(new Uri($"/v1/kv/{key}", UriKind.Relative), body, stop);
        return answer.StatusCode;
    }

    /// <summary>Waits until its log has a text.</summary>
    public static async Task SaidAsync(this AgentProcess agent, string what, CancellationToken stop)
    {
        try
        {
            await Eventually.HoldsAsync(
                $"its log says '{what}'", TimeSpan.FromSeconds(60),
                () => Task.FromResult(agent.Log.Contains(what, StringComparison.Ordinal)), stop);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n--- its log\n{agent.Log}", late);
        }
    }

    /// <summary>Waits until its API answers, whatever else it lacks.</summary>
    public static Task AnswersAsync(this AgentProcess agent, CancellationToken stop) => Eventually.HoldsAsync(
        "the API answers", TimeSpan.FromSeconds(60),
        async () =>
        {
            using var self = await agent.Http.GetAsync(new Uri("/v1/agent/self", UriKind.Relative), stop);
            return self.IsSuccessStatusCode;
        }, stop);

    /// <summary>A key's value. Null: there is none, or no answer.</summary>
    public static Task<string?> GetAsync(this AgentProcess agent, string key, CancellationToken stop) =>
        agent.GetAsync(key, "", stop);

    /// <summary>The same with more to the question, as <c>&amp;consistent</c>.</summary>
    public static async Task<string?> GetAsync(
        this AgentProcess agent, string key, string how, CancellationToken stop)
    {
        using var answer = await agent.Http.GetAsync(new Uri($"/v1/kv/{key}?raw{how}", UriKind.Relative), stop);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(stop) : null;
    }
}
