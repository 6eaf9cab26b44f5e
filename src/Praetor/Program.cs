namespace Praetor;

internal static class Program
{
    public static int Main(string[] args)
    {
        Console.Out.WriteLine(args.Length);
        return 0;
    }
}
