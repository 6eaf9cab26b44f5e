using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Praetor.Server.Connect;
using Praetor.Server.State;

namespace Praetor.Server.Intentions;

/// <summary>Answers proxies that ask whether the owner of a certificate may connect.</summary>
public static class Authorization
{
    /// <summary>Decides by the certificate's identity.</summary>
    /// <param name="target">The service that is connected to.</param>
    /// <param name="clientCertUri">The identity in the client's certificate, whose chain the proxy has
    /// verified.</param>
    /// <param name="trustDomain">This cluster's trust domain.</param>
    /// <param name="book">The intentions.</param>
    /// <param name="byDefault">What holds without one.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="refusal">Why the question makes no sense.</param>
    public static bool TryDecide(
        string target,
        string clientCertUri,
        string trustDomain,
        IntentionBook book,
        DefaultPolicy byDefault,
        [NotNullWhen(true)] out IntentionDecision? decision,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        decision = null;
        refusal = null;
        if (target.Length == 0)
        {
            refusal = Refusal.BadRequest("Target service must be specified");
        }
        else if (!SpiffeId.TryParse(clientCertUri, out var id))
        {
            refusal = Refusal.BadRequest("ClientCertURI not a valid Connect identifier");
        }
        else if (id is not SpiffeService source)
        {
            refusal = Refusal.BadRequest("ClientCertURI not a valid Service identifier");
        }
        else if (source.TrustDomain != trustDomain)
        {
            // The same names mean other services elsewhere. Consul leaves this to the chain; here both must hold.
            decision = new IntentionDecision(false, $"Identity of another trust domain: {source.TrustDomain}", null);
        }
        else
        {
            decision = book.Decide(new IntentionName(source.Service, source.Namespace), target, byDefault);
        }

        return decision is not null;
    }

    /// <summary>Reads the body of an authorize request.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> json, out string target, out string clientCertUri,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        target = "";
        clientCertUri = "";
        refusal = null;
        if (!IntentionJson.TryObject(json, out var body, out var problem))
        {
            refusal = Refusal.BadRequest("Request decode failed: " + problem);
            return false;
        }

        using (body)
        {
            foreach (var member in body.RootElement.EnumerateObject())
            {
                var text = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : "";
                switch (member.Name.ToLowerInvariant())
                {
                    case "target":
                        target = text;
                        break;
                    case "clientcerturi":
                        clientCertUri = text;
                        break;
                }
            }
        }

        return true;
    }
}
