using System.Text;
using Praetor.Agent.Config;
using Shouldly;
using Xunit;

namespace Unit.Config;

/// <summary>Request bodies and the texts that Consul 1.8.7 answers.</summary>
public sealed class DefinitionTests
{
    [Theory]
    [InlineData("", "Request decode failed: EOF")]
    [InlineData("null", "Missing service name")]
    [InlineData("{", "Request decode failed: unexpected EOF")]
    [InlineData("{}", "Missing service name")]
    [InlineData("{'Name':'a','Foo':1}", "Request decode failed: json: unknown field \"Foo\"")]
    [InlineData("{'Name':'a','Port':'x'}", "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int")]
    [InlineData("{'Name':'a','Port':1.5}", "Request decode failed: json: cannot unmarshal number 1.5 into Go struct field .Port of type int")]
    [InlineData("{'Name':5}", "Request decode failed: json: cannot unmarshal number into Go struct field .Name of type string")]
    [InlineData("{'Name':'a','Tags':'x'}", "Request decode failed: json: cannot unmarshal string into Go struct field .Tags of type []string")]
    [InlineData("{'Name':'a','Tags':['x',1]}", "Request decode failed: json: cannot unmarshal number into Go struct field .Tags of type string")]
    [InlineData("{'Name':'a','Meta':{'a':1}}", "Request decode failed: json: cannot unmarshal number into Go struct field .Meta of type string")]
    [InlineData("{'Name':'a','Meta':{'':'1'}}", "Invalid Service Meta: Couldn't load metadata pair ('', '1'): Key cannot be blank")]
    [InlineData("{'Name':'a','Meta':{'a b':'1'}}", "Invalid Service Meta: Couldn't load metadata pair ('a b', '1'): Key contains invalid characters")]
    [InlineData("{'Name':'a','Meta':{'consul-x':'1'}}", "Invalid Service Meta: Couldn't load metadata pair ('consul-x', '1'): Key prefix 'consul-' is reserved for internal use")]
    [InlineData("{'Name':'a','Check':{'HTTP':'http://x'}}", "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks")]
    [InlineData("{'Name':'a','Check':{'TTL':'5'}}", "Request decode failed: time: missing unit in duration \"5\"")]
    [InlineData("{'Name':'a','Check':{'TTL':'-5s'}}", "Invalid check: TTL must be > 0 for TTL checks")]
    [InlineData("{'Name':'a','Check':{'TTL':'5s','Status':'bad'}}", "Status for checks must 'passing', 'warning', 'critical'")]
    [InlineData("{'Name':'a','Check':{'TTL':'5s','Interval':'5s'}}", "Invalid check: Interval and TTL cannot both be specified")]
    [InlineData("{'Name':'a','Check':{'Foo':1}}", "Request decode failed: json: unknown field \"Foo\"")]
    [InlineData("{'Name':'a','Check':{'Script':'x','Interval':'5s'}}", "Request decode failed: json: unknown field \"Script\"")]
    [InlineData("{'Name':'a','Checks':{'TTL':'5s'}}", "Request decode failed: json: cannot unmarshal object into Go struct field .Checks of type structs.CheckTypes")]
    [InlineData("{'Name':'a','Check':{'HTTP':'x','Interval':'5s','Header':{'a':'b'}}}", "Request decode failed: json: cannot unmarshal string into Go struct field .Check of type []string")]
    [InlineData("{'Name':'a','Weights':{'Passing':-1}}", "Invalid Weights: Passing must be greater than 0")]
    [InlineData("{'Name':'a','Weights':{'Passing':70000,'Warning':1}}", "Invalid Weights: DNS Weight must be between 0 and 65535")]
    [InlineData("{'Name':'a','Address':'0.0.0.0'}", "Invalid service address")]
    [InlineData("{'Name':'a','Kind':'connect-proxy'}", "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\t* Port must be set for a Connect proxy\n\n")]
    [InlineData("{'Name':'a','Kind':'connect-proxy','Port':5,'Proxy':{'DestinationServiceName':'b','Upstreams':[{}]}}", "1 error occurred:\n\t* upstream destination name cannot be empty\n\n")]
    [InlineData("{'Name':'a','Kind':'connect-proxy','Port':5,'Proxy':{'DestinationServiceName':'b','Upstreams':[{'DestinationName':'x'}]}}", "1 error occurred:\n\t* upstream local bind port cannot be zero\n\n")]
    [InlineData("{'Name':'a','Kind':'connect-proxy','Port':5,'Proxy':{'DestinationServiceName':'b','Upstreams':[{'DestinationName':'x','LocalBindPort':5},{'DestinationName':'y','LocalBindPort':5}]}}", "1 error occurred:\n\t* upstreams cannot contain duplicates by local bind address and port; \"127.0.0.1:5\" is specified twice\n\n")]
    [InlineData("{'Name':'a','Kind':'connect-proxy','Port':5,'Proxy':{'DestinationServiceName':'b','Upstreams':[{'DestinationName':'x','LocalBindPort':5},{'DestinationName':'x','LocalBindPort':6}]}}", "1 error occurred:\n\t* upstreams cannot contain duplicates of [type=\"service\", name=\"x\", namespace=\"\", datacenter=\"\"]\n\n")]
    [InlineData("{'Name':'a','Kind':'mesh-gateway'}", "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n")]
    [InlineData("{'Name':'a','Connect':{'SidecarService':{'ID':'zz'}}}", "1 error occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the agent\n\n")]
    [InlineData("{'Name':'a','Connect':{'SidecarService':{'Connect':{'SidecarService':{}}}}}", "1 error occurred:\n\t* A SidecarService cannot have a nested SidecarService\n\n")]
    [InlineData("{'Name':'a','Port':1,'Ports':[{'Name':'x','Port':1,'Default':true}]}", "Cannot set both Port and Ports")]
    [InlineData("{'Name':'a','Ports':[{'Name':'x','Port':1,'Default':true}],'Connect':{'SidecarService':{}}}", "MultiPort cannot be used with Consul Connect.")]
    [InlineData("{'Name':'a','Namespace':'x'}", "Request decode failed: json: unknown field \"Namespace\"")]
    public void A_bad_service_gets_the_text_that_clients_know(string json, string text)
    {
        var result = DefinitionBody.Service(Body(json));
        result.Error.ShouldBe(text);
        result.Value.ShouldBeNull();
    }

    [Theory]
    [InlineData("{}", "Missing check name")]
    [InlineData("{'Name':'x'}", "Invalid check: TTL must be > 0 for TTL checks")]
    [InlineData("{'Name':'x','TTL':'5s','Foo':1}", "Request decode failed: json: unknown field \"Foo\"")]
    [InlineData("{'Name':'x','TTL':'5s','Status':'bad'}", "Bad check status")]
    [InlineData("{'Name':'x','HTTP':'x'}", "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks")]
    [InlineData("{'Name':'x','TTL':'5x'}", "Request decode failed: time: unknown unit \"x\" in duration \"5x\"")]
    [InlineData("{'Name':'x','TTL':{}}", "Invalid check: TTL must be > 0 for TTL checks")]
    [InlineData("{'Name':'x','AliasService':'web','HTTP':'x','Interval':'5s'}", "Invalid check: Interval cannot be set for Alias checks")]
    [InlineData("{'Name':'x','TTL':'5s','OutputMaxSize':-1}", "Invalid check: MaxOutputMaxSize must be positive")]
    public void A_bad_check_gets_the_text_that_clients_know(string json, string text) =>
        DefinitionBody.Check(Body(json)).Error.ShouldBe(text);

    [Theory]
    [InlineData("{'Name':'a','Check':{}}")]
    [InlineData("{'Name':'a','Port':70000}")]
    [InlineData("{'Name':'a','Kind':'foo'}")]
    [InlineData("{'Name':'a','Check':{'TTL':5}}")]
    [InlineData("{'Name':'a','Connect':{'SidecarService':{'Name':''},'Native':true}}")]
    [InlineData("{'Name':'a','Partition':'','Namespace':''}")]
    [InlineData("{'Name':'a','Tags':null,'Meta':null,'Check':null,'Checks':null,'Connect':null,'Weights':null}")]
    public void What_consul_takes_is_taken(string json) => DefinitionBody.Service(Body(json)).Error.ShouldBeNull();

    [Fact]
    public void Both_spellings_and_both_forms_of_durations_are_read()
    {
        var service = DefinitionBody.Service(Body("""
            {'name':'web','ID':'web1','port':80,'enable_tag_override':true,
             'tagged_addresses':{'lan':{'address':'a','Port':1}},
             'Checks':[{'http':'http://x','INTERVAL':'10s','timeout':5000000000,'tls_skip_verify':true,'CheckID':'c'},
                       {'TCP':'x:1','Interval':'1s','DeregisterCriticalServiceAfter':'1h','FailuresBeforeCritical':3}],
             'Proxy':{'Config':{'a':[1,{'b':null}]},'MeshGateway':{'Mode':'local'}},
             'Connect':{'SidecarService':{'Proxy':{'Upstreams':[{'DestinationName':'db','LocalBindPort':9191}]}}}}
            """)).Value.ShouldNotBeNull();
        service.EffectiveId.ShouldBe("web1");
        service.EnableTagOverride.ShouldBeTrue();
        service.TaggedAddresses["lan"].ShouldBe(new AddressDefinition { Address = "a", Port = 1 });
        service.Checks[0].Interval.ShouldBe(TimeSpan.FromSeconds(10));
        service.Checks[0].Timeout.ShouldBe(TimeSpan.FromSeconds(5));
        service.Checks[0].TlsSkipVerify.ShouldBeTrue();
        service.Checks[0].Id.ShouldBe("c");
        service.Checks[1].DeregisterCriticalServiceAfter.ShouldBe(TimeSpan.FromHours(1));
        service.Proxy!.Config!.ToJson().ShouldBe("""{"a":[1,{"b":null}]}""");
        service.Proxy.MeshGatewayMode.ShouldBe("local");
        service.Connect!.SidecarService!.Proxy!.Upstreams.Single().LocalBindPort.ShouldBe(9191);
    }

    [Fact]
    public void The_managed_form_of_a_proxy_keeps_its_upstreams_in_its_config()
    {
        var result = ConfigLoader.Load(["-dev", "-hcl", """
            service { name = "web" port = 80 connect { proxy { config {
              bind_port = 21000
              upstreams = [{ destination_name = "db" local_bind_port = 9191 }]
            } } } }
            """]);
        var proxy = result.Config!.Services[0].Connect!.ManagedProxy!;
        proxy.Upstreams.Single().DestinationName.ShouldBe("db");
        proxy.Config!.ToJson().ShouldBe("""{"bind_port":21000}""");
    }

    private static byte[] Body(string json) => Encoding.UTF8.GetBytes(json.Replace('\'', '"'));
}
