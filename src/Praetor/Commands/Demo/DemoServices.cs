namespace Praetor.Commands.Demo;

/// <summary>The demo's service files, as a user would write them.</summary>
internal static class DemoServices
{
    /// <summary>Writes them into the folder that the agent reads.</summary>
    public static void Write(string folder, DemoPorts ports)
    {
        var services = Directory.CreateDirectory(Path.Combine(folder, "services")).FullName;
        File.WriteAllText(Path.Combine(services, "counting.hcl"), Service("counting", ports.Counting, ""));
        File.WriteAllText(Path.Combine(services, "dashboard.hcl"), Service("dashboard", ports.Dashboard, $$"""
                upstreams = [{ destination_name = "counting", local_bind_port = {{ports.Upstream}} }]
            """));
    }

    // The proxy block makes the agent run the sidecar itself. Sidecars are for other machines too, unless told
    // otherwise, and this is a demo.
    private static string Service(string name, int port, string upstreams) => $$"""
        service {
          name = "{{name}}"
          port = {{port}}
          check {
            http     = "http://127.0.0.1:{{port}}/health"
            interval = "1s"
            timeout  = "1s"
          }
          connect {
            proxy {
              config {
                bind_address = "127.0.0.1"
        {{upstreams}}
              }
            }
          }
        }
        """;
}
