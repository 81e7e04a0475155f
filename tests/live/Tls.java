// SPDX-License-Identifier: GPL-2.0-or-later
// Java's own TLS, as a server and as a client: java Tls.java FILE.p12 prints the port of its HTTPS, and that of its
// plain HTTP; then for each line of stdin, "URL N", it asks so often, and prints the sum of the statuses.

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Tls {
	static final char[] PASSWORD = "secret".toCharArray();

	static SSLContext context(String file) throws Exception {
		KeyStore store = KeyStore.getInstance("PKCS12");
		KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
		KeyStore trusted = KeyStore.getInstance("PKCS12");
		SSLContext context = SSLContext.getInstance("TLS");

		store.load(new FileInputStream(file), PASSWORD);
		keys.init(store, PASSWORD);
		trusted.load(null, null);
		trusted.setCertificateEntry("own", store.getCertificate(store.aliases().nextElement()));
		trust.init(trusted);
		context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
		return context;
	}

	static int serve(HttpServer server) {
		server.createContext("/", exchange -> {
			byte[] ok = "ok".getBytes();

			exchange.getRequestBody().readAllBytes();
			exchange.sendResponseHeaders(200, ok.length);
			exchange.getResponseBody().write(ok);
			exchange.close();
		});
		server.start();
		return server.getAddress().getPort();
	}

	public static void main(String[] args) throws Exception {
		InetSocketAddress any = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0);
		SSLContext context = context(args[0]);
		HttpsServer secure = HttpsServer.create(any, 0);
		HttpClient client = HttpClient.newBuilder().sslContext(context).version(HttpClient.Version.HTTP_1_1).build();
		BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
		String line;

		secure.setHttpsConfigurator(new HttpsConfigurator(context));
		System.out.println(serve(secure) + " " + serve(HttpServer.create(any, 0)));
		while ((line = lines.readLine()) != null) {
			String[] word = line.split(" ");
			HttpRequest request = HttpRequest.newBuilder(URI.create(word[0])).build();
			long sum = 0;

			for (int i = 0; i < Integer.parseInt(word[1]); i++)
				sum += client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
			System.out.println(sum);
		}
		System.exit(0);
	}
}
