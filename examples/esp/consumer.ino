// A consumer of surplus power for ESP8266 and ESP32, with PubSubClient. It switches one relay.
//
// It asks for REQUEST watts and gets an allowance in watts: all of it (no STEP), or MINIMUM + n * STEP.
// The rule every consumer obeys:
//   - draw nothing unless an Allowance arrived within the last 30 s;
//   - stop when Actors/distributor/Status is offline, ask again when it is online.
// Everything here is QoS 0 and MQTT 3.1.1; no clock and no JSON are needed.

#ifdef ESP8266
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif
#include <PubSubClient.h>

const char* WIFI_NAME = "your network";
const char* WIFI_PASSWORD = "its password";
const char* BROKER = "192.168.1.10";
const uint16_t PORT = 1883;
const char* USER = "";      // named like ID where the broker has an access list; empty without users
const char* PASSWORD = "";

#define BASE "heliograph"
#define ID "kettle"         // letters, digits, - and _; at most 32
const char* REQUEST = "1200";   // W
const char* PRIORITY = "50";    // smaller comes first
const int RELAY = 5;            // GPIO

const unsigned long LEASE = 30000;    // ms: an older allowance is none
const unsigned long REPEAT = 60000;   // ms: a request is forgotten after 180 s of silence
const unsigned long SETTLE = 1000;    // ms: what comes right after subscribing may be retained, so old
const unsigned long RETRY = 5000;     // ms between attempts to connect

const char* ALLOWANCE_TOPIC = BASE "/Requests/" ID "/Allowance";
const char* STATUS_TOPIC = BASE "/Actors/distributor/Status";

WiFiClient network;
PubSubClient mqtt(network);

float allowed = 0;              // W, what the relay stands for
bool online = false;            // the distributor is there
bool askNow = false;            // set in the callback, done in loop()
unsigned long heard = 0;        // millis() of the last allowance
unsigned long asked = 0;
unsigned long subscribed = 0;
unsigned long tried = 0;

void tell(const char* field, const char* value) {
  String topic = String(BASE "/Requests/" ID "/") + field;
  mqtt.publish(topic.c_str(), value);
}

void allow(float watts) {
  if (watts == allowed) return;
  allowed = watts;
  digitalWrite(RELAY, allowed > 0 ? HIGH : LOW);
  // At once, so that the distributor and the meter see the same. A measured value is better.
  tell("Consumption", String(allowed, 0).c_str());
}

void ask() {
  tell("Priority", PRIORITY);
  tell("Consumption", String(allowed, 0).c_str());
  tell("Request", REQUEST);
  tell("IsAutomatic", "true");
  asked = millis();
}

void received(char* topic, byte* payload, unsigned int length) {
  char text[16];
  if (length >= sizeof(text)) return;
  memcpy(text, payload, length);
  text[length] = 0;

  if (strcmp(topic, STATUS_TOPIC) == 0) {
    online = strcmp(text, "online") == 0;
    if (online) askNow = true;
    else allow(0);
  } else if (strcmp(topic, ALLOWANCE_TOPIC) == 0) {
    // PubSubClient does not show the retain flag. A live one follows within 10 s.
    if (!online || millis() - subscribed < SETTLE) return;
    heard = millis();
    allow(atof(text));
  }
}

void connect() {
  if (WiFi.status() != WL_CONNECTED || millis() - tried < RETRY) return;
  tried = millis();
  const char* user = *USER ? USER : nullptr;
  const char* password = *USER ? PASSWORD : nullptr;
  if (!mqtt.connect(ID, user, password)) return;
  online = false;
  subscribed = millis();
  mqtt.subscribe(ALLOWANCE_TOPIC);
  mqtt.subscribe(STATUS_TOPIC);
}

void setup() {
  pinMode(RELAY, OUTPUT);
  digitalWrite(RELAY, LOW);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  mqtt.setServer(BROKER, PORT);
  mqtt.setCallback(received);
  mqtt.setSocketTimeout(3);     // s: a missing broker must not hold up the check below for long
  tried = millis() - RETRY;
}

void loop() {
  // First, and whatever the network does: without a fresh allowance nothing is drawn.
  if (millis() - heard >= LEASE) allow(0);

  if (!mqtt.connected()) connect();
  mqtt.loop();
  if (mqtt.connected() && online && (askNow || millis() - asked >= REPEAT)) {
    askNow = false;
    ask();
  }
}
