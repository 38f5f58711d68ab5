// Reads the seals of one file through the service: Client FILE [URL]. Needs Newtonsoft.Json.
// .NET: dotnet new console, dotnet add package Newtonsoft.Json, dotnet run -- FILE. Mono: mcs -r:System.Net.Http.dll -r:Newtonsoft.Json.dll.

using System;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

static class Client
{
    static async Task<JToken> Read(string path, string url)
    {
        var body = new JObject
        {
            { "file", Convert.ToBase64String(File.ReadAllBytes(path)) },
            { "fileType", path.EndsWith(".pdf", StringComparison.OrdinalIgnoreCase) ? 0 : 1 },
            { "visualize", false }, // no pictures are wanted
        };
        using (var http = new HttpClient { Timeout = TimeSpan.FromSeconds(120) })
        using (var content = new StringContent(body.ToString(Formatting.None), Encoding.UTF8, "application/json"))
        using (var answer = await http.PostAsync(url + "/seal-recognition", content))
        {
            var text = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode)
                throw new HttpRequestException($"HTTP {(int)answer.StatusCode}: {text}"); // the service says in JSON why
            return JObject.Parse(text)["result"];
        }
    }

    static async Task<int> Main(string[] args)
    {
        if (args.Length != 1 && args.Length != 2)
        {
            Console.Error.WriteLine("usage: Client FILE [URL]");
            return 1;
        }
        Console.OutputEncoding = new UTF8Encoding(false);
        try
        {
            var result = await Read(args[0], args.Length == 2 ? args[1] : "http://localhost:8080");
            var page = 0;
            foreach (var item in result["sealRecResults"])
            {
                page++;
                foreach (var seal in item["prunedResult"]["seals"])
                    foreach (var line in seal["lines"])
                        Console.WriteLine(FormattableString.Invariant(
                            $"page {page}, seal {(int)seal["region_id"]}, {(double)line["score"]:F2}: {(string)line["text"]}"));
            }
            return 0;
        }
        catch (Exception error) when (error is HttpRequestException || error is IOException || error is JsonException
                                      || error is TaskCanceledException || error is UnauthorizedAccessException)
        {
            Console.Error.WriteLine(error.InnerException == null ? error.Message : $"{error.Message}: {error.InnerException.Message}");
            return 1;
        }
    }
}
