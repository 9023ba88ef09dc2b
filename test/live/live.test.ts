// Everything that only shows where pods run: one home, one group of tests after the other.
import "./home.ts";
import "./afternoon.ts";
import "./guards.ts";
import "./packets.ts";
import "./pod-bridges.ts";
import "./ports.ts";
import "./machine-power.ts";
import "./backup.ts";
import "./power-cut.ts";
import "./removal.ts";
