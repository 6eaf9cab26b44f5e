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

    /// <summary>A key's value. Null: there is none, or no answer.</summary>
    public static async Task<string?> GetAsync(this AgentProcess agent, string key, CancellationToken stop)
    {
        using var answer = await agent.Http.GetAsync(new Uri($"/v1/kv/{key}?raw", UriKind.Relative), stop);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(stop) : null;
    }
}
