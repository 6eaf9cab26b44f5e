using System.Buffers;
using System.Text;
using System.Text.Json;
using Praetor.Client.Watches;
using Shouldly;
using Xunit;

namespace Unit.Watches;

/// <summary>What handlers of watches get: what Consul's own client would give them.</summary>
public sealed class WatchShapeTests
{
    [Fact]
    public void A_key_has_the_order_of_the_client_and_all_its_members() => ShouldBeWritten(
        WatchShapes.Key,
        "{'LockIndex':0,'Key':'a','Flags':18446744073709551615,'Value':null,'ModifyIndex':7}",
        "{'Key':'a','CreateIndex':0,'ModifyIndex':7,'LockIndex':0,'Flags':18446744073709551615,"
        + "'Value':null,'Session':''}");

    [Fact]
    public void A_missing_key_is_null() => ShouldBeWritten(WatchShapes.Key, "null", "null");

    [Fact]
    public void Members_that_the_client_does_not_know_are_gone() => ShouldBeWritten(
        WatchShapes.Nodes,
        "[{'Partition':'default','Node':'n','Meta':{'b':'2','a':'1'},'PeerName':''}]",
        "[{'ID':'','Node':'n','Address':'','Datacenter':'','TaggedAddresses':null,"
        + "'Meta':{'a':'1','b':'2'},'CreateIndex':0,'ModifyIndex':0}]");

    [Fact]
    public void An_instance_leaves_out_what_is_empty_and_keeps_what_the_client_always_has() => ShouldBeWritten(
        WatchShapes.AgentService,
        "{'ID':'p','Service':'p','Kind':'connect-proxy','Proxy':{'DestinationServiceName':'web',"
        + "'Config':{'b':1,'a':{}},'Upstreams':[{'DestinationName':'db','LocalBindPort':1}],'Mode':''},"
        + "'Connect':{},'Ports':[]}",
        "{'Kind':'connect-proxy','ID':'p','Service':'p','Tags':null,'Meta':null,'Port':0,'Address':'',"
        + "'Weights':{'Passing':0,'Warning':0},'EnableTagOverride':false,'Proxy':{'DestinationServiceName':'web',"
        + "'Config':{'a':{},'b':1},'Upstreams':[{'DestinationName':'db','LocalBindPort':1,'MeshGateway':{}}],"
        + "'MeshGateway':{},'Expose':{}},'Connect':{}}");

    [Fact]
    public void A_check_without_definition_has_one_of_zeros() => ShouldBeWritten(
        WatchShapes.Checks,
        "[{'CheckID':'c','ServiceTags':[]}]",
        "[{'Node':'','CheckID':'c','Name':'','Status':'','Notes':'','Output':'','ServiceID':'','ServiceName':'',"
        + "'ServiceTags':[],'Type':'','Definition':{'Interval':'0s','Timeout':'0s',"
        + "'DeregisterCriticalServiceAfter':'0s','HTTP':'','Header':null,'Method':'','Body':'',"
        + "'TLSSkipVerify':false,'TCP':''},'CreateIndex':0,'ModifyIndex':0}]");

    [Theory]
    [InlineData("""{"Key":7}""")]
    [InlineData("""[]""")]
    public void An_answer_of_another_kind_is_no_answer(string text) =>
        Should.Throw<JsonException>(() => Written(WatchShapes.Key, text));

    private static void ShouldBeWritten(WatchShape shape, string answer, string wanted) =>
        Written(shape, answer.Replace('\'', '"')).ShouldBe(wanted.Replace('\'', '"'));

    private static string Written(WatchShape shape, string answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            shape.Write(json, JsonElement.Parse(answer));
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
