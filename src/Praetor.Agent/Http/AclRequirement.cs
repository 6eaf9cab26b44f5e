namespace Praetor.Agent.Http;

/// <summary>The right that a route needs, by the ACL language's words.</summary>
/// <param name="Resource">key, service, node, agent, operator, intention … Empty: none is needed.</param>
/// <param name="Access">read, write or list.</param>
/// <param name="NameParameter">The path parameter that names the resource. Null: the handler knows it, or there is
/// none.</param>
internal sealed record AclRequirement(string Resource, string Access, string? NameParameter = null)
{
    /// <summary>Everybody may.</summary>
    public static readonly AclRequirement None = new("", "");

    public override string ToString() => Resource.Length == 0 ? "none" : $"{Resource}:{Access}";
}

/// <summary>Decides what a request may do. The one place where rights are looked at.</summary>
internal interface IAuthorizer
{
    /// <summary>Whether the bearer of the token may; null: yes, else why not, in the words that clients get.</summary>
    string? Refuses(ApiRequest request, AclRequirement requirement);

    /// <summary>What stands in X-Consul-Default-ACL-Policy: allow or deny.</summary>
    string DefaultPolicy { get; }
}

/// <summary>Lets everybody do everything: what an agent without ACLs does.</summary>
internal sealed class AllowAll : IAuthorizer
{
    public string DefaultPolicy => "allow";

    public string? Refuses(ApiRequest request, AclRequirement requirement) => null;
}
